package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What Ctrl-C does, without a process. */
class SignalsTest {
    private static final int SIGINT = 2;
    private static final int SIGTERM = 15;

    private final StringWriter err = new StringWriter();
    private final Interruption interruption = new Interruption();
    private final List<Integer> halted = new ArrayList<>();
    private final Signals signals = new Signals(interruption, new PrintWriter(err), halted::add);

    @Test
    void theFirstAsksTheCommandToStopAndWaitsForItHoweverLongItTakes() {
        assertThat(signals.status(0)).isZero();
        signals.arrived(SIGTERM);
        assertThat(interruption.flag().isCancelled()).isTrue();
        assertThat(halted).isEmpty();
        assertThat(signals.status(4)).isEqualTo(128 + SIGTERM);
        assertThat(err.toString()).startsWith("peerlane: Stopping").contains("again");
    }

    @Test
    void theSecondEndsAtOnceAndSaysWhatIsLeft() {
        interruption.leaves("the CMB of emu:b still holds data");
        signals.arrived(SIGINT);
        signals.arrived(SIGINT);
        assertThat(halted).containsExactly(128 + SIGINT);
        assertThat(err.toString()).contains("Ended at once: the CMB of emu:b still holds data.");
    }
}
