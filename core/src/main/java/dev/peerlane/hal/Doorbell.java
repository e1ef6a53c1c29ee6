package dev.peerlane.hal;

/**
 * One doorbell register of a controller. An abstract class, not an interface, because the call is
 * on the hot path. Used by the thread that owns the queue.
 */
public abstract class Doorbell {
    /** Creates a doorbell; called by subclasses. */
    protected Doorbell() {}

    /**
     * Writes the register once, 4 bytes wide. All earlier stores of this thread, in particular
     * queue entries, are visible to the device before the value is.
     *
     * @param value the new tail of a submission queue or head of a completion queue
     */
    public abstract void ring(int value);
}
