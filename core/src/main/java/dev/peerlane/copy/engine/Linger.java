package dev.peerlane.copy.engine;

import dev.peerlane.hal.Clock;

/**
 * When to wait a moment after a poll that took little though much is under way.
 *
 * <p>Four completion entries are in one cache line. Where they are taken one by one as they come,
 * the line goes to and fro between the processors of device and host for each of them, which costs
 * both sides. A moment later more are there. With few in flight nothing is won: what is waited for
 * may be all that the device has.
 */
public final class Linger {
    /** Most commands that are few: fewer than a cache line has. */
    private static final int FEW = 3;

    /** Least commands in flight that are worth it. */
    private static final int MANY = 8;

    private Linger() {}

    /**
     * Waits if it is worth it.
     *
     * @param taken how many completions the last poll of a port took
     * @param inFlight how many commands that port still has in flight
     */
    public static void after(int taken, int inFlight, Clock clock) {
        if (taken > 0 && taken <= FEW && inFlight >= MANY) {
            clock.linger();
        }
    }
}
