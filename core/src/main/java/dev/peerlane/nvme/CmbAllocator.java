package dev.peerlane.nvme;

import dev.peerlane.Bits;
import java.util.Map;
import java.util.TreeMap;

/**
 * Carves a range of bytes into pieces: first fit, and what is given back melts with its neighbours.
 * Knows offsets only and touches no memory.
 */
final class CmbAllocator {
    /** Pieces start and end on multiples of this, so that two never share a word or a line. */
    static final int GRAIN_BYTES = 64;

    private final long sizeBytes;
    private final TreeMap<Long, Long> free = new TreeMap<>();
    private final TreeMap<Long, Long> live = new TreeMap<>();

    CmbAllocator(long sizeBytes) {
        this.sizeBytes = sizeBytes;
        free.put(0L, sizeBytes);
    }

    /** Returns how many bytes the piece for so many has. */
    static long pieceBytes(long bytes) {
        return Bits.roundUp(bytes, GRAIN_BYTES);
    }

    /**
     * Takes a piece.
     *
     * @param bytes its length, at least 1
     * @param alignBytes a power of two
     * @param base what is added to an offset before its alignment is looked at
     * @return its offset, or -1 if there is none
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

    /** Gives the piece at an offset back. */
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

    /** Returns the longest piece that {@link #take} would give at an alignment. */
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
