package dev.peerlane.hal;

import java.util.function.BooleanSupplier;

/**
 * Time, and the one place where anything waits.
 *
 * <p>The library starts no threads, so the code that waits must also let the devices make progress:
 * {@link #turn} does that. It spins for real hardware, steps the controllers of the emulator,
 * drains the socket of a running QEMU, and chooses the interleaving in simulation. Every loop that
 * waits for a device calls it, bring-up included. Used by the thread that owns the fabric.
 */
public abstract class Clock {
    /** Creates a clock; called by subclasses. */
    protected Clock() {}

    /** Returns nanoseconds since an arbitrary origin. The value never decreases. */
    public abstract long nanoTime();

    /**
     * Lets the devices of the fabric make some progress. Call it once after each poll that found
     * nothing.
     */
    public abstract void turn();

    /**
     * Waits for about the time of a few completions, if the devices make progress by themselves. If
     * {@link #turn} moves the devices, waiting is useless and this method does nothing.
     */
    public void linger() {}

    /**
     * Calls {@link #turn} until {@code done} returns true or the time is over. Calls {@code done}
     * at least once, and once more after the deadline, so that a slow turn can't turn success into
     * a timeout.
     *
     * @param done the condition; cheap, and free of side effects other than polling a device
     * @param timeoutNanos maximum time to wait; with 0, {@code done} is called once
     * @return whether {@code done} returned true
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
