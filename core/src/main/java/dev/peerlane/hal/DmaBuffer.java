package dev.peerlane.hal;

import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;

/**
 * A piece of host memory for devices of a domain, contiguous on the bus. Closing it takes the
 * mapping away and gives the memory back: only when no command uses it.
 */
public abstract class DmaBuffer implements AutoCloseable {
    /** Creates a buffer; called by subclasses. */
    protected DmaBuffer() {}

    /** Returns the memory, zeroed when it was allocated. Its address is {@link #address}. */
    public abstract MemorySegment segment();

    /** Returns the address in this process; aligned to the domain's page. */
    public abstract long address();

    /** Returns the address that devices use; aligned to the domain's page. */
    public abstract long busAddress();

    /**
     * Lets a device read and write it: before its first command that does. Where a fabric can keep
     * devices from memory in which they have no part, none reaches it before; elsewhere all do.
     *
     * @param device one of the domain's fabric
     * @throws dev.peerlane.PeerlaneException if the device refuses it, or another one's own memory
     *     is meant for nobody else
     */
    public void admit(Bdf device) {}

    /** Returns the length in bytes. */
    public final long sizeBytes() {
        return segment().byteSize();
    }

    /** Unmaps and frees the buffer. Closing again has no effect. */
    @Override
    public abstract void close();
}
