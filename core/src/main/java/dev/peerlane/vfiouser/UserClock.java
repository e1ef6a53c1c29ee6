package dev.peerlane.vfiouser;

import dev.peerlane.hal.Clock;

/** Real time; the other process moves by itself, so a turn only spins and now and then yields. */
final class UserClock extends Clock {
    private static final int TURNS_TO_YIELD = 64;

    private int turns;

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // correct without it; kinder where cores are few
    public void turn() {
        turns++;
        if (turns % TURNS_TO_YIELD == 0) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}
