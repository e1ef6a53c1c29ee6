package dev.peerlane.vfio;

import dev.peerlane.hal.parts.PageRuns;
import dev.peerlane.linux.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A piece of host memory that is mapped for DMA as a whole and allocated page by page. */
final class DmaChunk {
    private final PinnedMemory.Piece piece;
    private final long iova;
    private final boolean given;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private final PageRuns pages;

    /**
     * Creates a chunk. {@code given} tells that the I/O address belongs to the memory itself, so it
     * doesn't return to the allocator.
     */
    DmaChunk(PinnedMemory.Piece piece, long iova, boolean given) {
        this.piece = piece;
        this.iova = iova;
        this.given = given;
        this.segment = Memory.at(piece.address(), piece.bytes(), arena);
        this.pages = new PageRuns(piece.bytes(), PinnedMemory.PAGE_BYTES);
    }

    PinnedMemory.Piece piece() {
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

    /**
     * Allocates contiguous pages. Returns their offset in the chunk, or -1 if there is no such run.
     */
    long take(long bytes) {
        return pages.take(bytes);
    }

    void give(long offset, long bytes) {
        pages.give(offset, bytes);
    }

    MemorySegment segment(long offset, long bytes) {
        return segment.asSlice(offset, bytes);
    }

    /**
     * Closes the segments, so that an access through one still held throws instead of crashing the
     * process.
     */
    void end() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
