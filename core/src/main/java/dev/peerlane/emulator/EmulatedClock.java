package dev.peerlane.emulator;

import dev.peerlane.emulator.bus.BusTime;
import dev.peerlane.emulator.bus.PacketInterconnect;
import dev.peerlane.emulator.controller.NvmeController;
import dev.peerlane.emulator.tree.FabricOwner;
import dev.peerlane.hal.Clock;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The fabric's time. Virtual time advances only in turns: by a fixed step while a controller has
 * work, to the next due command if all controllers only wait, and by a long step if none has
 * anything to do, so that a timeout takes few turns. A packet that has just arrived may be what the
 * host waits for, so the host looks at it before time advances.
 */
final class EmulatedClock extends Clock implements BusTime {
    private static final long STEP_NANOS = 1_000;
    private static final long PACKET_STEP_NANOS = 100;
    private static final int MAX_PASSES = 50_000_000;
    private static final long WAITING_STEP_NANOS = 20_000;
    private static final long IDLE_STEP_NANOS = 1_000_000;

    private final FabricOwner owner;
    private final boolean virtual;
    private final SplittableRandom random;
    private final List<NvmeController> controllers;
    private final @Nullable PacketInterconnect packets;
    private long nanos;

    EmulatedClock(
            FabricOwner owner,
            boolean virtual,
            SplittableRandom random,
            List<NvmeController> controllers,
            @Nullable PacketInterconnect packets) {
        this.owner = owner;
        this.virtual = virtual;
        this.random = random;
        this.controllers = controllers;
        this.packets = packets;
    }

    @Override
    public long nanoTime() {
        return virtual ? nanos : System.nanoTime();
    }

    /**
     * Takes turns until a load of the host is answered. Every packet to a function is answered in
     * the end.
     */
    @Override
    public void pass(BooleanSupplier done) {
        for (int i = 0; !done.getAsBoolean(); i++) {
            if (i == MAX_PASSES) {
                throw new IllegalStateException("a load of the host was never answered");
            }
            turn();
        }
    }

    @Override
    public void turn() {
        owner.check();
        try {
            turnDevices();
        } catch (InternalError e) {
            // the file behind a BAR has no room for a page: the processor's access can't be
            // answered
            throw SparseMemory.noRoom(e);
        }
    }

    private void turnDevices() {
        long now = nanoTime();
        long next = Long.MAX_VALUE;
        boolean arrived = packets != null && packets.advance(now);
        int count = controllers.size();
        int first = count > 1 ? random.nextInt(count) : 0;
        for (int i = 0; i < count; i++) {
            int at = first + i < count ? first + i : first + i - count;
            next = Math.min(next, controllers.get(at).step(now));
        }
        if (packets != null) {
            next = Math.min(next, packets.nextNanos());
        }
        if (!virtual) {
            if (next > now) {
                Thread.onSpinWait();
            }
        } else if (next == Long.MAX_VALUE && !arrived) {
            nanos += IDLE_STEP_NANOS;
        } else {
            long wait =
                    arrived && next == Long.MAX_VALUE
                            ? 0
                            : Math.min(next - now, WAITING_STEP_NANOS);
            // with packets each turn of the host takes a little time, so that it meets packets in
            // any state
            nanos +=
                    packets == null
                            ? Math.max(wait, STEP_NANOS)
                            : Math.max(wait, PACKET_STEP_NANOS)
                                    + random.nextLong(PACKET_STEP_NANOS);
        }
    }
}
