package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.Fault.Kind;
import dev.peerlane.p2p.BufferKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The gate of the coverage. */
class CoverageTest {
    private static final Coverage.Cell CANNOT_BE =
            new Coverage.Cell(Kind.MAPPING, Phase.STEADY, BufferKind.HOST);

    @Test
    void allThatCanBeMetIsEnough() {
        Coverage coverage = new Coverage();
        coverage.add(Coverage.possible());
        assertThat(coverage.problems()).isEmpty();
        assertThat(coverage.table()).hasSize(Kind.values().length + 2);
    }

    @Test
    void aCellThatWasNotMetFailsIt() {
        List<Coverage.Cell> cells = new ArrayList<>(Coverage.possible());
        Coverage.Cell last = cells.removeLast();
        Coverage coverage = new Coverage();
        coverage.add(cells);
        assertThat(coverage.problems()).containsExactly("never met: " + last);
    }

    @Test
    void aCellThatIsListedAsImpossibleAndWasMetFailsIt() {
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
}
