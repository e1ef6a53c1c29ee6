package dev.peerlane.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SpreadTest {
    @Test
    void quartilesLieBetweenTheirNeighbours() {
        assertThat(Spread.of(4, 1, 3, 2)).isEqualTo(new Spread(1.75, 2.5, 3.25));
        assertThat(Spread.of(7)).isEqualTo(new Spread(7, 7, 7));
        assertThat(Spread.of(1, 2, 30).text()).isEqualTo("2.00 (1.50 to 16.00)");
    }

    @Test
    void noSamplesHaveNoMedian() {
        assertThatThrownBy(() -> Spread.of()).hasMessage("no samples");
    }
}
