package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.pci.Bdf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The kernel's mode without an IOMMU: devices use physical addresses and can reach all memory. Host
 * memory consists of single huge pages, which the kernel never moves; their physical addresses come
 * from /proc/self/pagemap.
 */
final class NoIommuSpace extends Type1Space {
    private static final String PAGE_MAP = "/proc/self/pagemap";
    private static final int ENTRY_BYTES = 8;
    private static final long PRESENT = 1L << 63;
    private static final long FRAME = (1L << 55) - 1;
    private static final List<Span> ALL = List.of(new Span(0, (1L << 52) - 1));

    private NoIommuSpace(Kernel kernel, int container) {
        super(kernel, container, false);
    }

    /**
     * Opens the space from an open container and the groups of some devices, all of them without an
     * IOMMU.
     */
    static Type1Space open(Kernel kernel, int container, List<Bdf> devices, VfioSystem system) {
        return start(new NoIommuSpace(kernel, container), devices, system);
    }

    @Override
    int iommuType() {
        return VfioAbi.NOIOMMU_IOMMU;
    }

    @Override
    String groupNode(int group) {
        return "noiommu-" + group;
    }

    @Override
    void readInfo() {}

    @Override
    String name() {
        return CONTAINER + " (no IOMMU)";
    }

    @Override
    List<Span> ranges() {
        return ALL;
    }

    @Override
    long pageBytes() {
        return PinnedMemory.PAGE_BYTES;
    }

    @Override
    boolean needsHugePages() {
        return true;
    }

    @Override
    long givenAddress(PinnedMemory.Piece piece) {
        if (piece.alignBytes() != PinnedMemory.HUGE_PAGE_BYTES
                || piece.bytes() != PinnedMemory.HUGE_PAGE_BYTES) {
            throw PeerlaneException.machine(
                    "no-huge-page",
                    "%d bytes of memory for DMA without an IOMMU are not one huge page"
                            .formatted(piece.bytes()),
                    "Reserve huge pages (sysctl vm.nr_hugepages=64), and use buffers of 2 MiB at"
                            + " most");
        }
        KernelException.check(
                kernel.mlock(piece.address(), piece.bytes()),
                "memory-not-locked",
                "mlock",
                piece.bytes() + " bytes of memory for DMA",
                "Raise the limit of locked memory: ulimit -l");
        return physical(piece.address());
    }

    /**
     * Returns the physical address from an entry of the page map: frame number in bits 54:0,
     * present in bit 63.
     */
    private long physical(long address) {
        int map =
                (int)
                        KernelException.check(
                                kernel.open(PAGE_MAP, Kernel.O_RDONLY | Kernel.O_CLOEXEC),
                                "no-page-map",
                                "open",
                                PAGE_MAP,
                                "Run as root");
        long entry;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(ENTRY_BYTES, ENTRY_BYTES);
            long at = address / PinnedMemory.PAGE_BYTES * ENTRY_BYTES;
            long read = kernel.pread(map, word, at);
            entry = read == ENTRY_BYTES ? word.get(JAVA_LONG, 0) : 0;
        } finally {
            KernelException.close(kernel, map, PAGE_MAP);
        }
        long frame = entry & FRAME;
        if ((entry & PRESENT) == 0 || frame == 0) {
            throw PeerlaneException.machine(
                    "no-page-map",
                    PAGE_MAP + " does not give the physical address of a page",
                    "Run as root");
        }
        return frame * PinnedMemory.PAGE_BYTES;
    }

    @Override
    void map(long address, long iova, long bytes) {}

    @Override
    void mapBar(BarPiece piece, long iova) {}

    @Override
    void unmap(long iova, long bytes) {}
}
