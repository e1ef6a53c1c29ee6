package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.hal.Clock;

/**
 * The end of a {@link Pipeline}, good or bad: awaits what is in flight, and makes sure that nothing
 * can touch a slot any more.
 */
abstract class WindDown {
    /** A fence that runs out of patience does so within this time. */
    private static final long SETTLE_NANOS = 2_000_000_000L;

    /** The longest time of a function reset (PCIe 5.0, 6.6.2); no packet takes that long. */
    static final long ARRIVAL_NANOS = 100_000_000L;

    private final Lane lane;
    private final Fence fence;
    private final Clock clock;
    private final long timeoutNanos;
    private boolean unsafe;

    WindDown(Lane lane, Fence fence, Clock clock, long timeoutNanos) {
        this.lane = lane;
        this.fence = fence;
        this.clock = clock;
        this.timeoutNanos = timeoutNanos;
    }

    /** Rings the doorbell of one side and polls it. */
    abstract void takeIn(boolean reader);

    /** Moves the fence on, and with it the reader. */
    abstract void stepFence();

    /** Records an error of the wind-down. */
    abstract void failed(PeerlaneException e);

    /**
     * Runs to the end.
     *
     * @param readerQuarantined whether a command of the reader was given up
     * @param secondQuarantined whether a command of the second port was given up
     * @return whether a device could still touch the memory
     */
    boolean run(boolean readerQuarantined, boolean secondQuarantined) {
        boolean quarantined = readerQuarantined || fence.quarantined();
        boolean arrived = takenIn(true, quarantined) && settled();
        quiesceIfBusy(lane.reader(), quarantined || fence.quarantined());
        takenIn(false, secondQuarantined);
        quiesceIfBusy(lane.second(), secondQuarantined);
        if (!arrived && !lane.buffer().isHost()) {
            // no fence can ask a stopped reader whether its posted writes have arrived
            clock.await(() -> false, ARRIVAL_NANOS);
        }
        return unsafe;
    }

    /** Returns whether the port still works and none of its commands is in flight. */
    private boolean takenIn(boolean reader, boolean quarantined) {
        BlockPort port = reader ? lane.reader() : lane.second();
        try {
            return clock.await(
                            () -> {
                                takeIn(reader);
                                return port.inFlight() == 0;
                            },
                            quarantined ? 0 : timeoutNanos)
                    && !quarantined;
        } catch (PeerlaneException | InternalError e) {
            failed(Faults.of(e));
            return false;
        }
    }

    /**
     * Waits for slots that completed after a failure while their data is still on its way. That
     * data would land in memory that was wiped and released. The fence knows when it has arrived.
     * Returns whether all of it has.
     */
    private boolean settled() {
        try {
            return clock.await(
                    () -> {
                        stepFence();
                        return fence.idle();
                    },
                    Math.min(timeoutNanos, SETTLE_NANOS));
        } catch (PeerlaneException | InternalError e) {
            failed(Faults.of(e));
            return false;
        }
    }

    private void quiesceIfBusy(BlockPort port, boolean quarantined) {
        if (port.inFlight() > 0 || quarantined) {
            try {
                port.quiesce();
            } catch (PeerlaneException | InternalError e) {
                unsafe = true;
                failed(Faults.of(e));
            }
        }
    }
}
