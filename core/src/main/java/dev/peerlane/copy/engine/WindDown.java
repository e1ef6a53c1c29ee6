package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.hal.Clock;

/**
 * The end of a {@link Pipeline}, good or bad: takes in what is in flight, and makes sure that
 * nothing more can touch a slot.
 */
abstract class WindDown {
    /** A fence that loses patience does so within this. */
    private static final long SETTLE_NANOS = 2_000_000_000L;

    /**
     * How long a function's reset may take (PCIe 5.0, 6.6.2): more than any packet is under way.
     */
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

    /** Rings and polls one side. */
    abstract void takeIn(boolean reader);

    /** Moves the fence on, and the reader. */
    abstract void stepFence();

    /** Takes what goes wrong meanwhile. */
    abstract void failed(PeerlaneException e);

    /**
     * Runs to the end.
     *
     * @param readerQuarantined whether a command of the reader was given up
     * @param secondQuarantined whether one of the second port was
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

    /** Returns whether the port still works and nothing of it is in flight. */
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
     * After a failure, slots may have completed whose data is still on its way: it would land in
     * memory that was wiped and given back. The fence knows when it has arrived.
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
