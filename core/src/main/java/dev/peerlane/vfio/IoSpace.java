package dev.peerlane.vfio;

import dev.peerlane.pci.Bdf;
import java.util.List;

/**
 * An I/O address space of the kernel with the devices that are attached to it: a container or an
 * iommufd. A caller unmaps what it has mapped; closing the space removes the mappings that are
 * left.
 */
abstract class IoSpace {
    /** Returns the name of this space for messages. */
    abstract String name();

    /** Returns the ranges of I/O virtual addresses that the IOMMU can translate. */
    abstract List<Span> ranges();

    /** Returns the smallest page of the IOMMU in bytes. */
    abstract long pageBytes();

    /** Returns the largest number of simultaneous mappings. */
    abstract long mappingLimit();

    /**
     * Returns the fixed address at which devices see a piece of memory, or -1 if the caller chooses
     * the address.
     */
    long givenAddress(PinnedMemory.Piece piece) {
        return -1;
    }

    /** Returns whether memory for DMA has to consist of whole huge pages. */
    boolean needsHugePages() {
        return false;
    }

    /** Maps memory of this process into the I/O address space of all its devices. */
    abstract void map(long address, long iova, long bytes);

    /**
     * Removes a mapping of host memory or of a BAR.
     *
     * @throws dev.peerlane.PeerlaneException if only a part of the range was mapped
     */
    abstract void unmap(long iova, long bytes);

    /**
     * A range of a device's BAR.
     *
     * @param deviceFd the descriptor of the device that owns the BAR
     * @param object the range's name for messages
     * @param index the BAR's index
     * @param offset the range's offset in the BAR
     * @param address the range's address in this process
     * @param bytes the range's length
     */
    record BarPiece(
            int deviceFd, String object, int index, long offset, long address, long bytes) {}

    /** Maps a range of a BAR into the I/O address space of all devices. */
    abstract void mapBar(BarPiece piece, long iova);

    /** Returns whether resetting a device revokes the mappings of its BARs. */
    abstract boolean revokesOnReset();

    /** Opens a device that was named when the space was created. Returns its descriptor. */
    abstract int openDevice(Bdf bdf);

    /** Closes a device. Its descriptor is closed even if this throws. */
    abstract void closeDevice(Bdf bdf, int fd);

    /** Closes the space and its devices. Closing again has no effect. */
    abstract void close();
}
