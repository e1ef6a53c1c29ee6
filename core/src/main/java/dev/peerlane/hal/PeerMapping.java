package dev.peerlane.hal;

/**
 * A range of one function's BAR that every device of a domain can reach at {@link #busAddress}.
 * Closing it takes the mapping away; only when no command uses it.
 */
public abstract class PeerMapping implements AutoCloseable {
    /** Returns the address that every device of the domain uses for the first byte. */
    public abstract long busAddress();

    /** Returns the length in bytes. */
    public abstract long sizeBytes();

    /** Unmaps it. A second call does nothing. */
    @Override
    public abstract void close();
}
