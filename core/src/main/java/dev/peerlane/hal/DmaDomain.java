package dev.peerlane.hal;

/**
 * The address space in which the devices of one fabric do DMA: host memory and peers' BARs, each at
 * one address that is the same for every device. No mapping error is ever ignored. Used by the
 * thread that owns the fabric.
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
     * Returns a domain for memory that only one device is to reach: its queues and its lists. Where
     * a fabric can keep others from it, it does; elsewhere this is the domain itself. Closing the
     * fabric ends it.
     *
     * @param device open, of this fabric
     */
    public DmaDomain forDevice(PciDevice device) {
        return this;
    }

    /**
     * Makes a range of a function's BAR reachable for the devices that are {@linkplain
     * PeerMapping#admit admitted} to it, at its own PCI address wherever that is possible.
     *
     * @param owner the function whose BAR it is; open, with memory decoding on
     * @param bar which BAR
     * @param offset first byte in the BAR; a multiple of {@link #pageBytes}
     * @param sizeBytes length; a multiple of {@link #pageBytes}
     * @throws dev.peerlane.PeerlaneException if it can't be mapped; nothing is mapped then
     */
    public abstract PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes);
}
