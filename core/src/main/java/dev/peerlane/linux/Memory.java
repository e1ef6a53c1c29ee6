package dev.peerlane.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory that {@link Kernel#mmap} gave, as segments. */
public final class Memory {
    private Memory() {}

    /**
     * Returns a mapping as a segment.
     *
     * @param address of the mapping
     * @param bytes its length
     * @param arena ends the segment when it is closed; closed before the mapping is taken away
     */
    public static MemorySegment at(long address, long bytes, Arena arena) {
        // SAFETY: the caller owns the mapping, holds it for as long as the arena is open, and
        // passes the length it was made with.
        return MemorySegment.ofAddress(address).reinterpret(bytes, arena, null);
    }
}
