package dev.peerlane.block;

/**
 * Receives the completions that {@link BlockPort#poll} finds. An abstract class, not an interface,
 * because the call is on the hot path.
 */
public abstract class Completions {
    /** Creates a receiver; called by subclasses. */
    protected Completions() {}

    /**
     * Called when one command has ended.
     *
     * @param slot the slot of the command, or {@link BlockPort#NO_SLOT} for a Flush
     * @param status 0 for success, otherwise a value for {@link BlockPort#describe}
     */
    public abstract void completed(int slot, int status);
}
