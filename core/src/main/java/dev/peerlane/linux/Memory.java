package dev.peerlane.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Views memory that {@link Kernel#mmap} mapped as segments. */
public final class Memory {
    private Memory() {}

    /**
     * Returns a mapping as a segment.
     *
     * @param address address of the mapping
     * @param bytes length of the mapping
     * @param arena the segment's lifetime; close it before the mapping is removed
     */
    public static MemorySegment at(long address, long bytes, Arena arena) {
        // SAFETY: the caller owns the mapping, holds it for as long as the arena is open, and
        // passes the length it was made with.
        return MemorySegment.ofAddress(address).reinterpret(bytes, arena, null);
    }
}
