package dev.peerlane.vfio;

import dev.peerlane.linux.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/** A piece of host memory that is mapped for DMA as a whole and handed out in pages. */
final class DmaChunk {
    private static final int PAGE = HostMemory.PAGE_BYTES;

    private final HostMemory.Piece piece;
    private final long iova;
    private final boolean given;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private final BitSet used = new BitSet();
    private final int pages;

    /** {@code given} is whether the address is the memory's own and not ours to give back. */
    DmaChunk(HostMemory.Piece piece, long iova, boolean given) {
        this.piece = piece;
        this.iova = iova;
        this.given = given;
        this.segment = Memory.at(piece.address(), piece.bytes(), arena);
        this.pages = (int) (piece.bytes() / PAGE);
    }

    HostMemory.Piece piece() {
        return piece;
    }

    long iova() {
        return iova;
    }

    boolean isGiven() {
        return given;
    }

    boolean isEmpty() {
        return used.isEmpty();
    }

    /** Takes pages in a row; answers their offset, or -1. */
    long take(long bytes) {
        int count = (int) Math.min(bytes / PAGE, Integer.MAX_VALUE);
        int at = used.nextClearBit(0);
        while (count <= pages - at) {
            int next = used.nextSetBit(at);
            if (next < 0 || next - at >= count) {
                used.set(at, at + count);
                return (long) at * PAGE;
            }
            at = used.nextClearBit(next);
        }
        return -1;
    }

    void give(long offset, long bytes) {
        used.clear((int) (offset / PAGE), (int) ((offset + bytes) / PAGE));
    }

    MemorySegment segment(long offset, long bytes) {
        return segment.asSlice(offset, bytes);
    }

    /** Ends the segments: who still holds one gets an exception and not a crash. */
    void end() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
