package dev.peerlane.stress;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A line of memory that both sides reach by address, as rings and doorbells are. Lines are used
 * again after a million others, far more than jcstress keeps alive at a time.
 */
public final class SharedWords {
    private static final int LINE_BYTES = 64;
    private static final int LINES = 1 << 20;
    private static final MemorySegment POOL =
            Arena.global().allocate((long) LINES * LINE_BYTES, LINE_BYTES);
    private static final AtomicInteger NEXT = new AtomicInteger();

    private SharedWords() {}

    /** Returns 64 bytes of zeroes. */
    public static MemorySegment line() {
        long at = (NEXT.getAndIncrement() & (LINES - 1)) * (long) LINE_BYTES;
        return POOL.asSlice(at, LINE_BYTES).fill((byte) 0);
    }
}
