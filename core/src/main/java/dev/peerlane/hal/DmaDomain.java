package dev.peerlane.hal;

/**
 * The address space in which the devices of one fabric do DMA. Host memory and the BARs of peers
 * each have one address in it, the same for every device. No mapping error is ever ignored. Used by
 * the thread that owns the fabric.
 */
public abstract class DmaDomain {
    /** Creates a domain; called by subclasses. */
    protected DmaDomain() {}

    /**
     * Returns the granularity of mappings and the alignment of buffers in bytes; a power of two.
     */
    public abstract int pageBytes();

    /**
     * Allocates zeroed host memory, rounded up to whole pages, for the devices that are {@linkplain
     * DmaBuffer#admit admitted} to it.
     *
     * @throws dev.peerlane.PeerlaneException if there is no memory or it can't be mapped
     */
    public abstract DmaBuffer allocate(long sizeBytes);

    /**
     * Returns a domain for memory that only one device may access: its queues and PRP lists. On a
     * fabric that can't keep other devices away, this is the domain itself. The returned domain is
     * valid until the fabric is closed.
     *
     * @param device an open device of this fabric
     */
    public DmaDomain forDevice(PciDevice device) {
        return this;
    }

    /**
     * Maps a range of a function's BAR for the devices that are {@linkplain PeerMapping#admit
     * admitted} to it. Uses the range's own PCI address if possible.
     *
     * @param owner the function that owns the BAR; open, with memory decoding on
     * @param bar the BAR
     * @param offset offset of the first byte in the BAR; a multiple of {@link #pageBytes}
     * @param sizeBytes length of the range; a multiple of {@link #pageBytes}
     * @throws dev.peerlane.PeerlaneException if the range can't be mapped; nothing is mapped then
     */
    public abstract PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes);
}
