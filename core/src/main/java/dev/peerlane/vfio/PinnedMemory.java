package dev.peerlane.vfio;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;

/**
 * Allocates memory of this process for DMA: huge pages from the kernel's pool if there are any,
 * else ordinary pages. VFIO locks what is mapped, so each allocation is checked against the limit
 * of locked memory first.
 */
final class PinnedMemory {
    static final int PAGE_BYTES = Bits.PAGE_BYTES;
    static final int HUGE_PAGE_BYTES = 2 << 20;

    /** Limit of locked memory below which pieces are small and huge pages are not used. */
    private static final long TIGHT_LIMIT_BYTES = 64L << 20;

    private static final int SMALL_PIECE_BYTES = 256 << 10;

    /**
     * A piece of memory of this process.
     *
     * @param address its first address
     * @param bytes its length in bytes
     * @param alignBytes the size of its pages in bytes
     */
    record Piece(long address, long bytes, long alignBytes) {}

    private final Kernel kernel;
    private final long limitBytes;
    private final boolean hugePages;
    private final boolean hugeOnly;
    private long takenBytes;

    PinnedMemory(Kernel kernel, VfioSystem system, boolean hugePages, boolean hugeOnly) {
        this.kernel = kernel;
        this.limitBytes =
                system.locksWithoutLimit()
                        ? Long.MAX_VALUE
                        : KernelException.check(
                                kernel.lockLimitBytes(),
                                "no-lock-limit",
                                "getrlimit",
                                "RLIMIT_MEMLOCK",
                                "Look at ulimit -l");
        this.hugePages = hugeOnly || (hugePages && limitBytes >= TIGHT_LIMIT_BYTES);
        this.hugeOnly = hugeOnly;
    }

    /** Returns the preferred size of a piece, in bytes. */
    long pieceBytes() {
        return limitBytes < TIGHT_LIMIT_BYTES && !hugeOnly ? SMALL_PIECE_BYTES : HUGE_PAGE_BYTES;
    }

    /** Allocates a zeroed piece of at least the wanted size. */
    Piece take(long wantedBytes) {
        long bytes = Bits.roundUp(wantedBytes, PAGE_BYTES);
        long huge = Bits.roundUp(wantedBytes, HUGE_PAGE_BYTES);
        checkLimit(bytes);
        int protection = Kernel.PROT_READ | Kernel.PROT_WRITE;
        int flags = Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS;
        if (hugePages && huge - bytes <= bytes && huge <= limitBytes - takenBytes) {
            int pool = flags | Kernel.MAP_HUGETLB | Kernel.MAP_HUGE_2MB;
            long address = kernel.mmap(huge, protection, pool, -1, 0);
            if (address >= 0) {
                takenBytes += huge;
                return new Piece(address, huge, HUGE_PAGE_BYTES);
            }
        }
        long address =
                KernelException.check(
                        kernel.mmap(bytes, protection, flags, -1, 0),
                        "no-dma-memory",
                        "mmap",
                        bytes + " bytes of memory for DMA",
                        "Free some memory, or use smaller buffers");
        takenBytes += bytes;
        return new Piece(address, bytes, PAGE_BYTES);
    }

    /** Frees a piece. The kernel keeps its pages for as long as they are mapped for DMA. */
    void give(Piece piece) {
        takenBytes -= piece.bytes;
        KernelException.check(
                kernel.munmap(piece.address, piece.bytes),
                "memory-not-unmapped",
                "munmap",
                "0x%x and %d bytes".formatted(piece.address, piece.bytes),
                "End the process");
    }

    private void checkLimit(long bytes) {
        if (bytes > limitBytes - takenBytes) {
            throw PeerlaneException.machine(
                    "memlock-limit",
                    "%d bytes of memory for DMA on top of %d exceed the limit of locked memory,"
                                    .formatted(bytes, takenBytes)
                            + " %d (RLIMIT_MEMLOCK)".formatted(limitBytes),
                    "Raise it: ulimit -l unlimited in the shell, LimitMEMLOCK=infinity in a service,"
                            + " or memlock in /etc/security/limits.conf");
        }
    }
}
