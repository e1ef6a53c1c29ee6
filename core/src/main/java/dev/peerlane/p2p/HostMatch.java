package dev.peerlane.p2p;

import java.lang.foreign.MemorySegment;

/** Compares slots in host memory: what the reader read with what the second port read beside it. */
final class HostMatch {
    private final MemorySegment memory;
    private final Geometry geometry;

    /**
     * Creates a comparison.
     *
     * @param memory twice the slots: the reader's, then the second port's
     * @param geometry of one half
     */
    HostMatch(MemorySegment memory, Geometry geometry) {
        this.memory = memory;
        this.geometry = geometry;
    }

    boolean equal(int slot, int bytes) {
        long one = (long) slot * geometry.chunkBytes();
        long other = one + (long) geometry.slots() * geometry.chunkBytes();
        return MemorySegment.mismatch(memory, one, one + bytes, memory, other, other + bytes) < 0;
    }
}
