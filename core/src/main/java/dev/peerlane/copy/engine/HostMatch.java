package dev.peerlane.copy.engine;

import dev.peerlane.copy.planning.Geometry;
import java.lang.foreign.MemorySegment;

/**
 * Compares slots in host memory: what the reader read with what the second port read beside it.
 * Both halves are overwritten with different random bytes before they are read into: memory that no
 * Read reaches is equal to itself, and what a slot held before is the same in both halves.
 */
final class HostMatch {
    private final MemorySegment memory;
    private final Geometry geometry;
    private final Poison poison;

    /**
     * Creates a comparison.
     *
     * @param memory twice the slots: the reader's, then the second port's
     * @param geometry of one half
     * @param poison of both halves; it overwrites
     */
    HostMatch(MemorySegment memory, Geometry geometry, Poison poison) {
        this.memory = memory;
        this.geometry = geometry;
        this.poison = poison;
    }

    /** Poisons the second port's half of a slot. */
    void plant(int slot, int bytes) {
        poison.plant(slot + geometry.slots(), bytes);
    }

    /** Returns whether both halves are equal, and the second one has been read into. */
    boolean equal(int slot, int bytes) {
        if (!poison.isGone(slot + geometry.slots(), bytes)) {
            return false;
        }
        long one = (long) slot * geometry.chunkBytes();
        long other = one + (long) geometry.slots() * geometry.chunkBytes();
        return MemorySegment.mismatch(memory, one, one + bytes, memory, other, other + bytes) < 0;
    }
}
