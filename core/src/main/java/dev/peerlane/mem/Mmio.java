package dev.peerlane.mem;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Loads and stores of mapped device memory (registers, doorbells, CMB bytes), by absolute address.
 *
 * <p>Each method makes one access of exactly the stated width, in the interpreter and in compiled
 * code. No access mode of {@link VarHandle} guarantees that: the interpreter does a volatile store
 * as an exchange, which also reads the register; the compiler may merge two plain stores, drop an
 * overwritten one, and narrow or drop a load whose result is not used. So a store is a plain one
 * between two release fences, and a load is an acquire load whose value is kept alive. This relies
 * on HotSpot, not on the language.
 *
 * <p>The caller owns the address. It must lie in a live mapping below 2^48 and be aligned to the
 * width; otherwise the virtual machine crashes, or adjacent bytes are accessed. Values are
 * little-endian, as in PCI Express; making a mapping fails on a big-endian host.
 */
public final class Mmio {
    // SAFETY: an address comes from a mapping whose owner checked offset and width against its
    // length before the call; this segment has no bounds on purpose.
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    /**
     * The bits that an aligned address may have; the mask lets the compiler drop bounds and
     * alignment checks.
     */
    private static final long MASK_32 = 0xffff_ffff_fffcL;

    private static final long MASK_64 = 0xffff_ffff_fff8L;

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

    private static final Object SETTLED = new Object();

    private static final VarHandle SINK_INT;
    private static final VarHandle SINK_LONG;

    @SuppressWarnings("unused") // written through SINK_INT only, to keep a load whole
    private static int sinkInt;

    @SuppressWarnings("unused") // written through SINK_LONG only, to keep a load whole
    private static long sinkLong;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            SINK_INT =
                    lookup.findStaticVarHandle(Mmio.class, "sinkInt", int.class)
                            .withInvokeExactBehavior();
            SINK_LONG =
                    lookup.findStaticVarHandle(Mmio.class, "sinkLong", long.class)
                            .withInvokeExactBehavior();
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Mmio() {}

    /** Loads 4 bytes in one access. Later loads of this thread come after it. */
    public static int load32Acquire(long address) {
        int value = (int) INT.getAcquire(ALL, address & MASK_32);
        SINK_INT.setOpaque(value);
        return value;
    }

    /** Loads 8 bytes in one access. Later loads of this thread come after it. */
    public static long load64Acquire(long address) {
        long value = (long) LONG.getAcquire(ALL, address & MASK_64);
        SINK_LONG.setOpaque(value);
        return value;
    }

    /** Stores 4 bytes in one access. All earlier loads and stores of this thread come before it. */
    public static void store32Release(long address, int value) {
        VarHandle.releaseFence();
        INT_PLAIN.set(ALL, address & MASK_32, value);
        VarHandle.releaseFence();
    }

    /** Stores 8 bytes in one access. All earlier loads and stores of this thread come before it. */
    public static void store64Release(long address, long value) {
        VarHandle.releaseFence();
        LONG_PLAIN.set(ALL, address & MASK_64, value);
        VarHandle.releaseFence();
    }

    /**
     * Waits until a fault of an earlier access is thrown, as an {@link InternalError}. Accessing
     * mapped memory that is gone raises SIGBUS, which the virtual machine throws at the next
     * safepoint poll; compiled code may have left the try block by then. This method calls a native
     * method, which polls; that costs 20 ns.
     */
    public static void settle() {
        if (Thread.holdsLock(SETTLED)) {
            throw new IllegalStateException("this lock must never be held");
        }
    }
}
