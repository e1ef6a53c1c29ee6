package dev.peerlane.copy.engine;

import dev.peerlane.copy.planning.Geometry;
import java.lang.foreign.MemorySegment;

/**
 * Compares slots in host memory: the data of the reader with that of the second port. Both halves
 * are overwritten with different random bytes before the Reads. Otherwise memory that no Read
 * reaches would equal itself, and both halves could hold the same old data.
 */
final class HostMatch {
    private final MemorySegment memory;
    private final Geometry geometry;
    private final Poison poison;

    /**
     * Creates a comparison.
     *
     * @param memory room for twice the slots: the reader's, then the second port's
     * @param geometry how one half is cut
     * @param poison the poison of both halves; it overwrites whole slots
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
