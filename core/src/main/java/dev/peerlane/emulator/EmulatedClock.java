package dev.peerlane.emulator;

import dev.peerlane.hal.Clock;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The fabric's time. Virtual time moves with the turns only: a fixed step while a controller has
 * something to do, straight to the next command that is due when all only wait, and a long step
 * when nobody has anything to do, so that a timeout takes few turns.
 */
final class EmulatedClock extends Clock {
    private static final long STEP_NANOS = 1_000;
    private static final long WAITING_STEP_NANOS = 20_000;
    private static final long IDLE_STEP_NANOS = 1_000_000;

    private final boolean virtual;
    private final SplittableRandom random;
    private final List<EmulatedController> controllers;
    private long nanos;

    EmulatedClock(boolean virtual, SplittableRandom random, List<EmulatedController> controllers) {
        this.virtual = virtual;
        this.random = random;
        this.controllers = controllers;
    }

    @Override
    public long nanoTime() {
        return virtual ? nanos : System.nanoTime();
    }

    @Override
    public void turn() {
        long now = nanoTime();
        long next = Long.MAX_VALUE;
        int count = controllers.size();
        int first = count > 1 ? random.nextInt(count) : 0;
        for (int i = 0; i < count; i++) {
            int at = first + i < count ? first + i : first + i - count;
            next = Math.min(next, controllers.get(at).step(now));
        }
        if (!virtual) {
            if (next > now) {
                Thread.onSpinWait();
            }
        } else if (next == Long.MAX_VALUE) {
            nanos += IDLE_STEP_NANOS;
        } else {
            long wait = Math.min(next - now, WAITING_STEP_NANOS);
            nanos += Math.max(wait, STEP_NANOS);
        }
    }
}
