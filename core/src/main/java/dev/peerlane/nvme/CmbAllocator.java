package dev.peerlane.nvme;

import dev.peerlane.Bits;
import java.util.Map;
import java.util.TreeMap;

/**
 * Allocates pieces of a range of bytes, first fit. Freed pieces are merged with adjacent free
 * ranges. The allocator handles offsets only and touches no memory.
 */
final class CmbAllocator {
    /** Pieces start and end on multiples of this, so that no two share a word or a cache line. */
    static final int GRAIN_BYTES = 64;

    private final long sizeBytes;
    private final TreeMap<Long, Long> free = new TreeMap<>();
    private final TreeMap<Long, Long> live = new TreeMap<>();

    CmbAllocator(long sizeBytes) {
        this.sizeBytes = sizeBytes;
        free.put(0L, sizeBytes);
    }

    /** Returns the length of the piece that is allocated for {@code bytes}. */
    static long pieceBytes(long bytes) {
        return Bits.roundUp(bytes, GRAIN_BYTES);
    }

    /**
     * Allocates a piece.
     *
     * @param bytes length of the piece, at least 1
     * @param alignBytes a power of two
     * @param base bus address of offset 0; base plus the returned offset is aligned
     * @return the offset of the piece, or -1 if no free range is large enough
     */
    long take(long bytes, long alignBytes, long base) {
        if (bytes > sizeBytes) {
            return -1;
        }
        long length = pieceBytes(bytes);
        long align = Math.max(alignBytes, GRAIN_BYTES);
        for (Map.Entry<Long, Long> hole : free.entrySet()) {
            long at = Bits.roundUp(base + hole.getKey(), align) - base;
            if (at <= hole.getKey() + hole.getValue() - length) {
                return takeFrom(hole.getKey(), hole.getValue(), at, length);
            }
        }
        return -1;
    }

    private long takeFrom(long start, long holeBytes, long at, long length) {
        long end = start + holeBytes;
        free.remove(start);
        if (at > start) {
            free.put(start, at - start);
        }
        if (at + length < end) {
            free.put(at + length, end - at - length);
        }
        live.put(at, length);
        return at;
    }

    /** Frees the piece at an offset. */
    void give(long offset) {
        Long length = live.remove(offset);
        if (length == null) {
            throw new IllegalStateException("no piece at 0x%x was taken".formatted(offset));
        }
        long start = offset;
        long end = offset + length;
        Map.Entry<Long, Long> before = free.floorEntry(start);
        if (before != null && before.getKey() + before.getValue() == start) {
            start = before.getKey();
        }
        Long after = free.remove(end);
        if (after != null) {
            end += after;
        }
        free.put(start, end - start);
    }

    int livePieces() {
        return live.size();
    }

    long largestFreeBytes() {
        return largestFreeBytes(1, 0);
    }

    /** Returns the length of the longest piece that {@link #take} can return at an alignment. */
    long largestFreeBytes(long alignBytes, long base) {
        long align = Math.max(alignBytes, GRAIN_BYTES);
        long most = 0;
        for (Map.Entry<Long, Long> hole : free.entrySet()) {
            long skipped = Bits.roundUp(base + hole.getKey(), align) - base - hole.getKey();
            most = Math.max(most, hole.getValue() - skipped);
        }
        return most;
    }

    long freeBytes() {
        return free.values().stream().mapToLong(Long::longValue).sum();
    }
}
