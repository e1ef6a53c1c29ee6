package dev.peerlane.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests what Ctrl-C does, without a process. */
class SignalsTest {
    private static final int SIGINT = 2;
    private static final int SIGTERM = 15;

    private final StringWriter err = new StringWriter();
    private final Interruption interruption = new Interruption();
    private final List<Integer> halted = new ArrayList<>();
    private final Signals signals = new Signals(interruption, new PrintWriter(err), halted::add);

    @Test
    void theFirstSignalStopsTheCommandAndWaitsForIt() {
        assertThat(signals.status(0)).isZero();
        signals.arrived(SIGTERM);
        assertThat(interruption.flag().isCancelled()).isTrue();
        assertThat(halted).isEmpty();
        assertThat(signals.status(4)).isEqualTo(128 + SIGTERM);
        assertThat(err.toString()).startsWith("peerlane: Stopping").contains("again");
    }

    @Test
    void theMessageOfTheFirstSignalComesFromTheCommand() {
        signals.arrived(SIGINT);
        assertThat(err.toString()).contains("Stopping: waiting for commands in flight. Ctrl-C");
        Interruption other = new Interruption();
        other.stopsBy("the lid is closed");
        new Signals(other, new PrintWriter(err), halted::add).arrived(SIGINT);
        assertThat(err.toString()).contains("Stopping: the lid is closed. Ctrl-C again");
    }

    @Test
    @Timeout(60)
    void whileTheVirtualMachineEndsTheCommandIsAskedAndWaitedFor() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        interruption.onRequest(asked::countDown);
        Thread hook = Thread.ofPlatform().start(signals::shutDown);
        asked.await();
        hook.interrupt();
        assertThat(interruption.flag().isCancelled()).isTrue();
        signals.ended();
        hook.join();
        assertThat(err.toString())
                .contains("Stopping")
                .contains("Further signals are ignored")
                .doesNotContain("Ctrl-C");
        assertThat(halted).isEmpty();
    }

    /** The thread that ends the virtual machine waits for its hooks, so no hook may wait for it. */
    @Test
    @Timeout(60)
    void whenTheProgramEndsByItselfNothingIsWaitedForOrSaid() {
        signals.ended();
        signals.shutDown();
        assertThat(interruption.flag().isCancelled()).isFalse();
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void theSecondSignalEndsAtOnceAndSaysWhatIsLeft() {
        interruption.leaves("the CMB of emu:b still holds data");
        signals.arrived(SIGINT);
        signals.arrived(SIGINT);
        assertThat(halted).containsExactly(128 + SIGINT);
        assertThat(err.toString()).contains("Ended at once: the CMB of emu:b still holds data.");
    }
}
