package dev.peerlane.block;

/**
 * Memory that devices of one fabric can use as data of their commands: a controller memory buffer
 * or host memory. Buffers are allocated from it. Used by the thread that owns the fabric.
 */
public abstract class PeerMemory {
    /** Creates a memory; called by subclasses. */
    protected PeerMemory() {}

    /** Returns the name of the device that owns the memory, or {@code host}. */
    public abstract String owner();

    /** Returns whether this is host memory. */
    public abstract boolean isHost();

    /** Returns the length of the memory in bytes. */
    public abstract long sizeBytes();

    /**
     * Returns the length in bytes of the largest buffer that {@link #allocate} can return now, at
     * any alignment.
     */
    public final long largestFreeBytes() {
        return largestFreeBytes(1);
    }

    /**
     * Returns the length in bytes of the largest buffer that {@link #allocate} can return now.
     *
     * @param alignBytes alignment of the buffer, a power of two
     */
    public abstract long largestFreeBytes(long alignBytes);

    /**
     * Returns whether the owner may use this memory as the destination of Reads from its own medium
     * (CMBSZ.RDS). This restricts the owner only.
     */
    public abstract boolean ownerMayRead();

    /**
     * Returns whether the owner may use this memory as the source of Writes to its own medium, and
     * of Compares (CMBSZ.WDS). This restricts the owner only.
     */
    public abstract boolean ownerMayWrite();

    /**
     * Returns whether the owner declares that a load may overtake earlier, still buffered writes to
     * other addresses (CMBEBS.CMBRBB). False does not guarantee that a load waits for them.
     */
    public abstract boolean loadsOvertakeWrites();

    /**
     * Checks that the owner of the memory is not gone, has not failed and was not reset. Costs as
     * much as {@link BlockPort#checkHealth}, so do not call it in every turn.
     *
     * @throws dev.peerlane.PeerlaneException if the check fails; the message says what is wrong
     */
    public abstract void checkHealth();

    /**
     * Allocates a buffer.
     *
     * @param sizeBytes length of the buffer; a multiple of 4
     * @param alignBytes alignment of the buffer's bus address, a power of two
     * @throws dev.peerlane.PeerlaneException if no free range is large enough; the message says how
     *     much is free
     */
    public abstract PeerBuffer allocate(long sizeBytes, long alignBytes);
}
