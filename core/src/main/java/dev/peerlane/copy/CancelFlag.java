package dev.peerlane.copy;

import dev.peerlane.PeerlaneException;

/**
 * A flag that asks a running copy to stop. Set by any thread, read by the one that runs the copy.
 */
public final class CancelFlag {
    private volatile boolean cancelled;

    /** Creates a flag that is not set. */
    public CancelFlag() {}

    /** Asks the copy to stop at its next turn. */
    public void cancel() {
        cancelled = true;
    }

    /** Returns whether the copy was asked to stop. */
    public boolean isCancelled() {
        return cancelled;
    }

    /** Returns the error with which a cancelled operation ends. */
    public PeerlaneException error() {
        return PeerlaneException.interrupted("stopped on request");
    }
}
