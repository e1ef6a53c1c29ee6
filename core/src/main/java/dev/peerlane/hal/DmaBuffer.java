package dev.peerlane.hal;

import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;

/**
 * A range of host memory that devices of a domain can access, contiguous on the bus. Closing unmaps
 * and frees it. Close it only when no command uses it.
 */
public abstract class DmaBuffer implements AutoCloseable {
    /** Creates a buffer; called by subclasses. */
    protected DmaBuffer() {}

    /** Returns the memory. It starts at {@link #address} and was zeroed when it was allocated. */
    public abstract MemorySegment segment();

    /** Returns the address in this process, aligned to the domain's page. */
    public abstract long address();

    /** Returns the bus address, which devices use, aligned to the domain's page. */
    public abstract long busAddress();

    /**
     * Lets a device read and write the buffer. Call this before the device's first command over the
     * buffer. A fabric that can keep devices away from memory blocks every device that was not
     * admitted. On other fabrics every device can access the buffer.
     *
     * @param device a device of the domain's fabric
     * @throws dev.peerlane.PeerlaneException if the device refuses the buffer, or if the buffer
     *     belongs to another device alone
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
