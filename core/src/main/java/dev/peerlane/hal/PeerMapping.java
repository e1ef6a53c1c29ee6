package dev.peerlane.hal;

import dev.peerlane.pci.Bdf;

/**
 * A range of one function's BAR that the devices of a domain can access at {@link #busAddress}.
 * Closing unmaps it. Close it only when no command uses it.
 */
public abstract class PeerMapping implements AutoCloseable {
    /** Creates a mapping; called by subclasses. */
    protected PeerMapping() {}

    /** Returns the bus address of the first byte, the same for every device of the domain. */
    public abstract long busAddress();

    /**
     * Lets a device access the range. Call this before the device's first command over the range. A
     * fabric that can keep devices away from memory blocks every device but the owner until it is
     * admitted. On other fabrics every device can access the range.
     *
     * @param device a device of the domain's fabric
     * @throws dev.peerlane.PeerlaneException if the device refuses the range
     */
    public void admit(Bdf device) {}

    /** Returns the length of the range in bytes. */
    public abstract long sizeBytes();

    /** Removes the mapping. Closing again has no effect. */
    @Override
    public abstract void close();
}
