package dev.peerlane.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.harness.TypedLines;
import dev.peerlane.diagnose.Action;
import dev.peerlane.diagnose.Check;
import dev.peerlane.pci.Bdf;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Checks that the program accepts the commands that the doctor proposes. */
class CuresTest {
    private static final Bdf A = Bdf.parse("0000:03:00.0");
    private static final Bdf B = Bdf.parse("0000:04:00.0");

    @ParameterizedTest
    @EnumSource
    void everyCureCanBeTyped(Check check) {
        TypedLines typed = new TypedLines();
        List<String> found = typed.check(Cures.cure(check), "doctor", "copy");
        typed.check(Cures.undo(check), "doctor", "copy");
        if (!Cures.cure(check).equals(check.cure())) {
            assertThat(found).as("a command that the library doesn't know").isNotEmpty();
        }
    }

    @Test
    void everyActionIsALineThatCanBeTyped() {
        List<Action> actions =
                List.of(
                        new Action.Bind(List.of(A, B)),
                        new Action.Unbind(List.of(A, B)),
                        new Action.DisableRedirect(A, B),
                        new Action.RestoreRedirect(A, B));
        List<String> lines = Cures.lines(actions);
        lines.forEach(new TypedLines()::parse);
        assertThat(lines)
                .containsExactly(
                        "peerlane bind 0000:03:00.0 0000:04:00.0",
                        "peerlane unbind 0000:03:00.0 0000:04:00.0",
                        "peerlane acs disable 0000:03:00.0 0000:04:00.0"
                                + " --save acs-0000:03:00.0-0000:04:00.0.txt",
                        "peerlane acs restore acs-0000:03:00.0-0000:04:00.0.txt");
        assertThat(Cures.lines(List.of(new Action.Line("ulimit -l unlimited"))))
                .containsExactly("ulimit -l unlimited");
    }
}
