package dev.peerlane.copy.engine;

import dev.peerlane.hal.Clock;

/**
 * Decides when to wait a moment after a poll that took few completions though many commands are in
 * flight.
 *
 * <p>A cache line holds four completion entries. If they are taken one by one as they arrive, the
 * line moves between the processors of device and host for each of them, which slows both sides. A
 * moment later several have arrived. With few commands in flight waiting gains nothing: these may
 * be all that the device has.
 */
public final class Linger {
    /** The most completions that count as few; less than a cache line holds. */
    private static final int FEW = 3;

    /** The fewest commands in flight for which waiting pays. */
    private static final int MANY = 8;

    private Linger() {}

    /**
     * Waits a moment if that pays.
     *
     * @param taken number of completions that the last poll of a port took
     * @param inFlight number of commands that the port still has in flight
     */
    public static void after(int taken, int inFlight, Clock clock) {
        if (taken > 0 && taken <= FEW && inFlight >= MANY) {
            clock.linger();
        }
    }
}
