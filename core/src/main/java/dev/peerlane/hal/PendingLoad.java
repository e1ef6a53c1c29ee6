package dev.peerlane.hal;

/**
 * A register load that was started and may not have returned its value yet. Used by the thread that
 * owns the function.
 */
public abstract class PendingLoad {
    /** Creates a load; called by subclasses. */
    protected PendingLoad() {}

    /**
     * Returns whether the value has arrived. Never waits.
     *
     * @throws dev.peerlane.PeerlaneException if the connection to the device was lost, or the load
     *     timed out
     */
    public abstract boolean isDone();

    /**
     * Returns the 4 bytes, or all ones if the device is gone. Call it only after {@link #isDone}
     * has returned true.
     */
    public abstract int value();

    /** Returns a load that is already done. */
    public static PendingLoad done(int value) {
        return new PendingLoad() {
            @Override
            public boolean isDone() {
                return true;
            }

            @Override
            public int value() {
                return value;
            }
        };
    }
}
