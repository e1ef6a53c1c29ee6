package dev.peerlane.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Compares the bound with quantiles of the beta distribution from tables: B(0.95; k + 1, n - k).
 */
class ClopperPearsonTest {
    @ParameterizedTest
    @CsvSource({
        "0, 10, 0.258866",
        "1, 10, 0.394163",
        "5, 10, 0.777559",
        "9, 10, 0.994884",
        "10, 10, 1",
        "0, 1, 0.95",
        "2, 100, 0.061619",
        "50, 100, 0.586378"
    })
    void theBoundIsTheOneOfTheTables(long seen, long tries, double bound) {
        assertThat(ClopperPearson.upperBound(seen, tries)).isCloseTo(bound, within(2e-6));
    }

    @Test
    void noneInMillionsIsTheRuleOfThree() {
        assertThat(ClopperPearson.upperBound(0, 3_000_000)).isCloseTo(1e-6, within(2e-9));
    }

    @Test
    void manyInMillionsEndNearTheirShare() {
        double bound = ClopperPearson.upperBound(2_000_000, 5_000_000);
        assertThat(bound).isBetween(0.4, 0.4004);
        assertThat(ClopperPearson.upperBound(3, 1_000_000_000L)).isCloseTo(7.754e-9, within(1e-11));
    }

    @Test
    void whatCantHaveHappenedIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> ClopperPearson.upperBound(0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> ClopperPearson.upperBound(2, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> ClopperPearson.upperBound(-1, 1));
    }
}
