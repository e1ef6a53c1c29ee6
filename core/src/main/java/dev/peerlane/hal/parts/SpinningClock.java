package dev.peerlane.hal.parts;

import dev.peerlane.hal.Clock;

/**
 * Real time, for devices that make progress by themselves: hardware, or devices that another
 * process serves. A turn spins, and occasionally yields the processor.
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
    @SuppressWarnings("ThreadPriorityCheck") // only a courtesy on machines with few cores
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
