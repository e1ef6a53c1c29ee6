package dev.peerlane.block;

/**
 * Memory that devices of one fabric can use as data of their commands: a controller memory buffer,
 * or host memory. Buffers are carved out of it. Used by the thread that owns the fabric.
 */
public abstract class PeerMemory {
    /** Creates a memory; called by subclasses. */
    protected PeerMemory() {}

    /** Returns the name of the device whose memory it is, or {@code host}. */
    public abstract String owner();

    /** Returns whether it is host memory. */
    public abstract boolean isHost();

    /** Returns its length in bytes. */
    public abstract long sizeBytes();

    /** Returns the longest buffer in bytes that {@link #allocate} can give now, however aligned. */
    public final long largestFreeBytes() {
        return largestFreeBytes(1);
    }

    /**
     * Returns the longest buffer in bytes that {@link #allocate} can give now.
     *
     * @param alignBytes its alignment, a power of two
     */
    public abstract long largestFreeBytes(long alignBytes);

    /**
     * Returns whether its owner may place data of commands that read from its medium in it
     * (CMBSZ.RDS). This binds the owner only.
     */
    public abstract boolean ownerMayRead();

    /**
     * Returns whether its owner may take data of commands that write to its medium, or compare with
     * it, from it (CMBSZ.WDS). This binds the owner only.
     */
    public abstract boolean ownerMayWrite();

    /**
     * Returns whether its owner says that a load overtakes earlier writes to other addresses, which
     * it still buffers (CMBEBS.CMBRBB). False is no promise that a load waits for them.
     */
    public abstract boolean loadsOvertakeWrites();

    /**
     * Looks whether the device whose memory it is is gone, has failed or was reset, and returns if
     * nothing is wrong with it. Not for every turn: as {@link BlockPort#checkHealth}.
     *
     * @throws dev.peerlane.PeerlaneException with what is wrong
     */
    public abstract void checkHealth();

    /**
     * Takes a buffer.
     *
     * @param sizeBytes its length; a multiple of 4
     * @param alignBytes a power of two; the bus address of the buffer is a multiple of it
     * @throws dev.peerlane.PeerlaneException if there is no such piece free; the message says how
     *     much is
     */
    public abstract PeerBuffer allocate(long sizeBytes, long alignBytes);
}
