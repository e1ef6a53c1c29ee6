package dev.peerlane.hal.parts;

import dev.peerlane.hal.Clock;

/**
 * Real time, for devices that move by themselves: hardware, and what another process serves. A turn
 * only spins, and now and then yields.
 */
public final class SpinningClock extends Clock {
    private static final long LINGER_NANOS = 1_500;

    private final int turnsToYield;
    private int turns;

    /** Creates a clock that yields the processor once in a number of turns. */
    public SpinningClock(int turnsToYield) {
        this.turnsToYield = turnsToYield;
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // correct without it; kinder where cores are few
    public void turn() {
        turns++;
        if (turns % turnsToYield == 0) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    @Override
    public void linger() {
        long start = System.nanoTime();
        while (System.nanoTime() - start < LINGER_NANOS) {
            Thread.onSpinWait();
        }
    }
}
