package dev.peerlane.vfio;

import dev.peerlane.hal.parts.PageRuns;
import dev.peerlane.linux.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A piece of host memory that is mapped for DMA as a whole and handed out in pages. */
final class DmaChunk {
    private final HostMemory.Piece piece;
    private final long iova;
    private final boolean given;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private final PageRuns pages;

    /** {@code given} is whether the address is the memory's own and not ours to give back. */
    DmaChunk(HostMemory.Piece piece, long iova, boolean given) {
        this.piece = piece;
        this.iova = iova;
        this.given = given;
        this.segment = Memory.at(piece.address(), piece.bytes(), arena);
        this.pages = new PageRuns(piece.bytes(), HostMemory.PAGE_BYTES);
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
        return pages.isEmpty();
    }

    /** Takes pages in a row; answers their offset, or -1. */
    long take(long bytes) {
        return pages.take(bytes);
    }

    void give(long offset, long bytes) {
        pages.give(offset, bytes);
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
