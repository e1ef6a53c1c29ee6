package dev.peerlane.hal;

import java.lang.foreign.MemorySegment;

/**
 * A piece of host memory that every device of a domain can read and write, contiguous on the bus.
 * Closing it takes the mapping away and gives the memory back: only when no command uses it.
 */
public abstract class DmaBuffer implements AutoCloseable {
    /** Returns the memory, zeroed when it was allocated. Its address is {@link #address}. */
    public abstract MemorySegment segment();

    /** Returns the address in this process; aligned to the domain's page. */
    public abstract long address();

    /** Returns the address that devices use; aligned to the domain's page. */
    public abstract long busAddress();

    /** Returns the length in bytes. */
    public final long sizeBytes() {
        return segment().byteSize();
    }

    /** Unmaps and frees it. A second call does nothing. */
    @Override
    public abstract void close();
}
