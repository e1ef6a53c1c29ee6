package dev.peerlane.mem;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Loads and stores of host memory that devices reach by DMA (queues, PRP lists, data), and of the
 * tables that the driver keeps beside it. An address is a base that is a multiple of 16, and an
 * offset that is not negative.
 *
 * <p>This is ordinary memory, so the compiler may merge or reorder plain accesses; only the methods
 * with an order in their name guarantee one. {@link #checkBase} checks a base once, when its owner
 * is created. After that the accessors only mask the base, which lets the compiler drop every
 * bounds and alignment check. Pass a position in a ring as the offset, unsigned: then all positions
 * share one masked base, which is computed once.
 */
public final class Dma {
    private static final long BASE_MASK = 0xffff_ffff_fff0L;

    // SAFETY: a base comes from a live allocation that its owner holds while it uses the base, and
    // offsets stay inside the structures of the specification.
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final VarHandle INT_PLAIN =
            JAVA_INT_UNALIGNED
                    .withOrder(ByteOrder.LITTLE_ENDIAN)
                    .varHandle()
                    .withInvokeExactBehavior();
    private static final VarHandle LONG_PLAIN =
            JAVA_LONG_UNALIGNED
                    .withOrder(ByteOrder.LITTLE_ENDIAN)
                    .varHandle()
                    .withInvokeExactBehavior();
    private static final VarHandle INT =
            JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();

    private static final VarHandle LONG =
            JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();

    private Dma() {}

    /**
     * Checks an address once, so that the accessors need not.
     *
     * @return {@code address}
     * @throws IllegalArgumentException if it is not a positive multiple of 16 below 2^48
     */
    public static long checkBase(long address) {
        if (address == 0 || (address & BASE_MASK) != address) {
            throw new IllegalArgumentException("not a base for DMA: 0x%x".formatted(address));
        }
        return address;
    }

    /** Loads 4 bytes, with no ordering. */
    public static int loadInt(long base, long offset) {
        return (int) INT_PLAIN.get(ALL, (base & BASE_MASK) + offset);
    }

    /** Loads 8 bytes, with no ordering. */
    public static long loadLong(long base, long offset) {
        return (long) LONG_PLAIN.get(ALL, (base & BASE_MASK) + offset);
    }

    /** Stores 4 bytes, with no ordering. */
    public static void storeInt(long base, long offset, int value) {
        INT_PLAIN.set(ALL, (base & BASE_MASK) + offset, value);
    }

    /** Stores 8 bytes, with no ordering. */
    public static void storeLong(long base, long offset, long value) {
        LONG_PLAIN.set(ALL, (base & BASE_MASK) + offset, value);
    }

    /**
     * Loads 4 bytes at a multiple of 4. What the device stored before them is visible to later
     * loads.
     */
    public static int loadIntAcquire(long base, long offset) {
        return (int) INT.getAcquire(ALL, (base & BASE_MASK) + offset);
    }

    /**
     * Loads 8 bytes at a multiple of 8. What the device stored before them is visible to later
     * loads.
     */
    public static long loadLongAcquire(long base, long offset) {
        return (long) LONG.getAcquire(ALL, (base & BASE_MASK) + offset);
    }

    /** Stores 4 bytes at a multiple of 4. A device that sees them also sees all earlier stores. */
    public static void storeIntRelease(long base, long offset, int value) {
        INT.setRelease(ALL, (base & BASE_MASK) + offset, value);
    }
}
