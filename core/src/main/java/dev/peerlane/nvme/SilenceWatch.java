package dev.peerlane.nvme;

import dev.peerlane.hal.PendingLoad;
import org.jspecify.annotations.Nullable;

/**
 * Detects a controller that is gone or has failed while commands are in flight and none ends.
 *
 * <p>A controller that completes commands is not checked. After a second without a completion, the
 * watch starts to load CSTS once and does not wait for the value, because over vfio-user the load
 * is a message, which slows the server down and takes a millisecond. Later polls check whether the
 * value has arrived.
 */
final class SilenceWatch {
    /**
     * How long no command must end before the controller is checked, in time of the fabric's clock.
     */
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
     * Checks the clock and, after the silence, the controller. Do not call this in every poll:
     * reading the clock costs as much as several polls.
     *
     * @param ended number of commands that have ended so far
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
