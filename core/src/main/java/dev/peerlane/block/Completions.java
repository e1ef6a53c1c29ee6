package dev.peerlane.block;

/**
 * Takes the completions that {@link BlockPort#poll} finds. An abstract class rather than an
 * interface because the call is on the hot path.
 */
public abstract class Completions {
    /** Creates a receiver; called by subclasses. */
    protected Completions() {}

    /**
     * One command has ended.
     *
     * @param slot the slot of the command, or {@link BlockPort#NO_SLOT} for a flush
     * @param status 0 for success, else a value for {@link BlockPort#describe}
     */
    public abstract void completed(int slot, int status);
}
