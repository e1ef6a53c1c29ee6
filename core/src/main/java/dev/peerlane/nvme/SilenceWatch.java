package dev.peerlane.nvme;

import dev.peerlane.hal.PendingLoad;
import org.jspecify.annotations.Nullable;

/**
 * Finds out that a controller is gone or has failed while commands are in flight and none ends.
 *
 * <p>Nobody asks a controller that ends commands. After a second in which none ended its CSTS is
 * loaded once, without waiting for the value: over vfio-user that is a message, which costs the
 * server its pace and the client a millisecond. Later polls look whether the value has come.
 */
final class SilenceWatch {
    /** How long no command ends before the controller is asked, by the fabric's clock. */
    static final long SILENCE_NANOS = 1_000_000_000L;

    private final Registers registers;
    private boolean silent;
    private int endedBefore;
    private long sinceNanos;
    private @Nullable PendingLoad csts;

    SilenceWatch(Registers registers) {
        this.registers = registers;
    }

    /**
     * Looks at the clock, and at the controller if it is time. Not for every poll: the clock costs
     * several times a poll.
     *
     * @param ended how many commands have ended so far
     * @param waiting whether commands are in flight
     * @throws ControllerFault if the controller is gone, has failed or was reset
     */
    void look(int ended, boolean waiting) {
        if (!waiting) {
            silent = false;
            return;
        }
        long now = registers.nanoTime();
        if (!silent || ended != endedBefore) {
            silent = true;
            endedBefore = ended;
            sinceNanos = now;
            csts = null;
        } else if (csts != null || now - sinceNanos >= SILENCE_NANOS) {
            ask(now);
        }
    }

    private void ask(long now) {
        PendingLoad load = csts != null ? csts : registers.startCsts();
        csts = load;
        if (load.isDone()) {
            csts = null;
            sinceNanos = now;
            registers.checkHealth(load.value(), QueuePair.IN_FLIGHT);
        }
    }
}
