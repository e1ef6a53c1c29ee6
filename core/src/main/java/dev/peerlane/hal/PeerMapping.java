package dev.peerlane.hal;

import dev.peerlane.pci.Bdf;

/**
 * A range of one function's BAR that the devices of a domain reach at {@link #busAddress}. Closing
 * it takes the mapping away; only when no command uses it.
 */
public abstract class PeerMapping implements AutoCloseable {
    /** Creates a mapping; called by subclasses. */
    protected PeerMapping() {}

    /** Returns the address that every device of the domain uses for the first byte. */
    public abstract long busAddress();

    /**
     * Lets a device reach it: before its first command that does. Where a fabric can keep devices
     * from memory in which they have no part, none but the owner reaches it before; elsewhere all
     * do.
     *
     * @param device one of the domain's fabric
     * @throws dev.peerlane.PeerlaneException if the device refuses it
     */
    public void admit(Bdf device) {}

    /** Returns the length in bytes. */
    public abstract long sizeBytes();

    /** Removes the mapping. Closing again has no effect. */
    @Override
    public abstract void close();
}
