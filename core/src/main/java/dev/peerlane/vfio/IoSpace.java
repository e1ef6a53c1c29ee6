package dev.peerlane.vfio;

import dev.peerlane.pci.Bdf;
import java.util.List;

/**
 * One I/O address space of the kernel with the devices that are attached to it: a container or an
 * iommufd. Every mapping is checked; whoever maps unmaps. Closing it takes away what is left.
 */
abstract class IoSpace {
    /** Returns what it is called in messages. */
    abstract String name();

    /** Returns the I/O virtual addresses that the IOMMU can translate, holes left out. */
    abstract List<Span> ranges();

    /** Returns the smallest page of the IOMMU in bytes. */
    abstract long pageBytes();

    /** Returns how many mappings there may be at once. */
    abstract long mappingLimit();

    /**
     * Returns the address at which devices see a piece of memory already, or -1 where it is ours to
     * choose.
     */
    long givenAddress(HostMemory.Piece piece) {
        return -1;
    }

    /** Returns whether memory for DMA must be whole huge pages. */
    boolean needsHugePages() {
        return false;
    }

    /** Maps memory of this process for all devices. */
    abstract void map(long address, long iova, long bytes);

    /**
     * Takes a mapping of either kind away.
     *
     * @throws dev.peerlane.PeerlaneException if less than all of it was mapped
     */
    abstract void unmap(long iova, long bytes);

    /**
     * A piece of a device's BAR.
     *
     * @param deviceFd the owner's descriptor
     * @param object the piece in words
     * @param index which BAR
     * @param offset in the BAR
     * @param address of the piece in this process
     * @param bytes its length
     */
    record BarPiece(
            int deviceFd, String object, int index, long offset, long address, long bytes) {}

    /** Maps a piece of a device's BAR for all devices. */
    abstract void mapBar(BarPiece piece, long iova);

    /** Returns whether a reset revokes mappings of the device's BARs. */
    abstract boolean revokesOnReset();

    /** Opens a device that was named when the space was made; answers its descriptor. */
    abstract int openDevice(Bdf bdf);

    /** Closes a device; its descriptor is gone then, whatever this throws. */
    abstract void closeDevice(Bdf bdf, int fd);

    /** Closes everything; a second call does nothing. */
    abstract void close();
}
