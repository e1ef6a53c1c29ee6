package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.Bits;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.vfio.VfioAbi.RegionInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernel's description of a device's region: a BAR or the configuration space.
 *
 * @param index the region's index
 * @param sizeBytes its length in bytes, 0 if the device has no such region
 * @param offset its start in the device's file
 * @param areas the parts that may be mapped
 * @param msixMappable whether the pages of the MSI-X table may be mapped as well
 */
record Region(int index, long sizeBytes, long offset, List<Span> areas, boolean msixMappable) {
    private static final int MAX_INFO_BYTES = 1 << 16;

    Region {
        areas = List.copyOf(areas);
    }

    static Region read(Kernel kernel, int fd, String locator, int index) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = info(kernel, fd, locator, index, arena, RegionInfo.BYTES);
            int needed = info.get(JAVA_INT, VfioAbi.ARGSZ);
            if (needed > RegionInfo.BYTES && needed <= MAX_INFO_BYTES) {
                info = info(kernel, fd, locator, index, arena, needed);
            }
            int flags = info.get(JAVA_INT, VfioAbi.FLAGS);
            long size = info.get(JAVA_LONG, RegionInfo.SIZE);
            int first =
                    (flags & RegionInfo.CAPS) != 0 ? info.get(JAVA_INT, RegionInfo.CAP_OFFSET) : 0;
            MemorySegment sparse = Capabilities.find(info, first, RegionInfo.CAP_SPARSE_MMAP);
            boolean msix = Capabilities.find(info, first, RegionInfo.CAP_MSIX_MAPPABLE) != null;
            List<Span> areas = new ArrayList<>();
            boolean mappable = (flags & RegionInfo.MMAP) != 0 && size > 0;
            if (mappable && sparse != null) {
                for (long[] area :
                        Capabilities.pairs(
                                sparse, RegionInfo.SPARSE_COUNT, RegionInfo.SPARSE_AREAS)) {
                    if (area[0] >= 0 && area[1] > 0 && area[1] <= size - area[0]) {
                        areas.add(new Span(area[0], area[0] + area[1] - 1));
                    }
                }
            } else if (mappable) {
                areas.add(new Span(0, size - 1));
            }
            return new Region(
                    index,
                    Math.max(size, 0),
                    info.get(JAVA_LONG, RegionInfo.OFFSET),
                    areas,
                    msix || sparse != null);
        }
    }

    private static MemorySegment info(
            Kernel kernel, int fd, String locator, int index, Arena arena, int bytes) {
        MemorySegment info = arena.allocate(bytes, 8);
        info.set(JAVA_INT, VfioAbi.ARGSZ, bytes);
        info.set(JAVA_INT, RegionInfo.INDEX, index);
        KernelException.check(
                kernel.ioctl(fd, VfioAbi.DEVICE_GET_REGION_INFO, info),
                "no-region-info",
                VfioAbi.DEVICE_GET_REGION_INFO.name(),
                locator + ", region " + index,
                "See whether the device is still there");
        return info;
    }

    /** Returns whether the whole region can be mapped in one piece. */
    boolean isWhole() {
        return areas.size() == 1
                && areas.getFirst().start() == 0
                && areas.getFirst().last() == sizeBytes - 1;
    }

    /**
     * Returns this region with the pages of a range excluded from mapping, such as those of an
     * MSI-X table.
     */
    Region withoutPages(long start, long bytes) {
        long first = start & -PinnedMemory.PAGE_BYTES;
        long end = Bits.roundUp(start + bytes, PinnedMemory.PAGE_BYTES);
        List<Span> left = Span.without(areas, List.of(new Span(first, end - 1)));
        return new Region(index, sizeBytes, offset, left, msixMappable);
    }
}
