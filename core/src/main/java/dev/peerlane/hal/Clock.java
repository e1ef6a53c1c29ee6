package dev.peerlane.hal;

import java.util.function.BooleanSupplier;

/**
 * Time, and the one place where anything waits.
 *
 * <p>The library starts no threads, so whoever waits has to let the devices move: {@link #turn}
 * does that. It spins for real hardware, steps the controllers of the emulator, drains the socket
 * of a running QEMU, and chooses the interleaving in simulation. Every loop that waits for a device
 * calls it, bring-up included. Used by the thread that owns the fabric.
 */
public abstract class Clock {
    /** Creates a clock; called by subclasses. */
    protected Clock() {}

    /** Returns nanoseconds since an arbitrary origin; never decreases. */
    public abstract long nanoTime();

    /** Lets the devices of the fabric move a little. Called once for each fruitless poll. */
    public abstract void turn();

    /**
     * Waits a moment, about the time of a few completions, for a device that moves by itself. Where
     * a turn moves the devices, waiting would bring nothing, and this does nothing.
     */
    public void linger() {}

    /**
     * Takes turns until {@code done} answers true or the time is over. {@code done} is asked at
     * least once, and once more after the deadline, so that a slow turn can't turn success into a
     * timeout.
     *
     * @param done the condition; cheap and free of side effects other than polling a device
     * @param timeoutNanos how long to wait at most; 0 asks once
     * @return whether {@code done} answered true
     */
    public final boolean await(BooleanSupplier done, long timeoutNanos) {
        long start = nanoTime();
        while (!done.getAsBoolean()) {
            if (nanoTime() - start >= timeoutNanos) {
                return done.getAsBoolean();
            }
            turn();
        }
        return true;
    }
}
