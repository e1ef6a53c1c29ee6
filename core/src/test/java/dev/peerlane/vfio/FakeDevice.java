package dev.peerlane.vfio;

import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A device behind a descriptor of the fake kernel. */
abstract class FakeDevice {
    final Bdf bdf;
    final int group;
    int flags = VfioAbi.DeviceInfo.RESET | VfioAbi.DeviceInfo.PCI;
    int vectors = 8;
    boolean gone;
    int resets;
    Integer firedVectors;

    FakeDevice(Bdf bdf, int group) {
        this.bdf = bdf;
        this.group = group;
    }

    /** Returns the length of a region in bytes, 0 if there is no such region. */
    abstract long size(int region);

    /** Returns the memory that a mapping of a BAR shows, or null if the BAR can't be mapped. */
    abstract MemorySegment memory(int region);

    /** Returns the areas of a sparse mapping, or null if all of it or none may be mapped. */
    List<Span> sparse(int region) {
        return null;
    }

    /** Returns whether the kernel reports that the MSI-X table may be mapped. */
    boolean msixMappable(int region) {
        return false;
    }

    abstract long load(int region, long offset, int bytes);

    abstract void store(int region, long offset, int bytes, long value);

    /** Returns whether the device decodes memory. */
    abstract boolean decodes();

    /** Returns whether the device may do DMA. */
    abstract boolean masters();

    abstract void reset();
}
