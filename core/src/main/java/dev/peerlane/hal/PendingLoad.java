package dev.peerlane.hal;

/**
 * A load of a register that was started and whose value may still be under way. Used by the thread
 * that owns the function.
 */
public abstract class PendingLoad {
    /** Creates a load; called by subclasses. */
    protected PendingLoad() {}

    /**
     * Returns whether the value is there. Never waits.
     *
     * @throws dev.peerlane.PeerlaneException if the device lost its connection, or took too long
     */
    public abstract boolean isDone();

    /** Returns the 4 bytes, once {@link #isDone}; all ones if the device is gone. */
    public abstract int value();

    /** Returns a load that is done. */
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
