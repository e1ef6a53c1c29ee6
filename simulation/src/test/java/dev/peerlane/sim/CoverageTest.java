package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.copy.BufferKind;
import dev.peerlane.emulator.model.Fault.Kind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests the check that a long run covered every cell. */
class CoverageTest {
    private static final Coverage.Cell CANNOT_BE =
            new Coverage.Cell(Kind.MAPPING, Phase.STEADY, BufferKind.HOST);

    @Test
    void coveringAllPossibleCellsIsEnough() {
        Coverage coverage = new Coverage();
        coverage.add(Coverage.possible());
        assertThat(coverage.problems()).isEmpty();
        assertThat(coverage.table()).hasSize(Kind.values().length + 2);
    }

    @Test
    void anUncoveredCellFails() {
        List<Coverage.Cell> cells = new ArrayList<>(Coverage.possible());
        Coverage.Cell last = cells.removeLast();
        Coverage coverage = new Coverage();
        coverage.add(cells);
        assertThat(coverage.problems()).containsExactly("never met: " + last);
    }

    @Test
    void aCoveredCellThatIsListedAsImpossibleFails() {
        assertThat(Coverage.possible()).doesNotContain(CANNOT_BE);
        Coverage coverage = new Coverage();
        coverage.add(Coverage.possible());
        coverage.add(List.of(CANNOT_BE));
        assertThat(coverage.problems())
                .singleElement()
                .asString()
                .contains("met, but listed as impossible")
                .contains("MAPPING in STEADY through host");
    }

    @Test
    void theFeaturesAreCheckedToo() {
        List<FeatureCoverage.Cell> cells = new ArrayList<>(FeatureCoverage.possible());
        FeatureCoverage coverage = new FeatureCoverage();
        coverage.add(cells);
        assertThat(coverage.problems()).isEmpty();
        assertThat(coverage.table()).hasSize(Feature.values().length + 2);
        FeatureCoverage.Cell last = cells.removeLast();
        FeatureCoverage less = new FeatureCoverage();
        less.add(cells);
        FeatureCoverage.Cell cannotBe = new FeatureCoverage.Cell(Feature.CMB_UNIT, BufferKind.HOST);
        less.add(List.of(cannotBe));
        assertThat(less.problems())
                .containsExactly(
                        "never met: " + last,
                        "met, but listed as impossible (no CMB carries the data): " + cannotBe);
    }
}
