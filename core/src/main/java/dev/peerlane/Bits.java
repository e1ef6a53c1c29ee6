package dev.peerlane;

/**
 * Bit fields of registers and wire structures, in the notation of the specifications: {@code
 * hi:lo}, both inclusive, where bit 0 is the least significant.
 */
public final class Bits {
    /** Bytes of the smallest page: of this machine's memory, of its IOMMU and of NVMe. */
    public static final int PAGE_BYTES = 4096;

    private Bits() {}

    /** Returns bits {@code hi:lo} of a 64-bit value, right aligned. */
    public static long get(long raw, int hi, int lo) {
        return (raw >>> lo) & mask(hi, lo);
    }

    /** Returns bits {@code hi:lo} of a 32-bit value, right aligned. */
    public static int get(int raw, int hi, int lo) {
        return (int) ((Integer.toUnsignedLong(raw) >>> lo) & mask(hi, lo));
    }

    /** Returns whether bit {@code n} is set. An int argument is sign-extended. */
    public static boolean bit(long raw, int n) {
        return ((raw >>> n) & 1) != 0;
    }

    /**
     * Returns {@code raw} with bits {@code hi:lo} replaced.
     *
     * @throws IllegalArgumentException if {@code value} does not fit into the field
     */
    public static long with(long raw, int hi, int lo, long value) {
        long mask = mask(hi, lo);
        if ((value & ~mask) != 0) {
            throw new IllegalArgumentException(
                    "value 0x%x does not fit bits %d:%d".formatted(value, hi, lo));
        }
        return (raw & ~(mask << lo)) | (value << lo);
    }

    /**
     * Returns {@code raw} with bits {@code hi:lo} replaced.
     *
     * @throws IllegalArgumentException if {@code value} does not fit into the field
     */
    public static int with(int raw, int hi, int lo, int value) {
        return (int) with(Integer.toUnsignedLong(raw), hi, lo, Integer.toUnsignedLong(value));
    }

    /** Rounds up to a multiple of a power of two. */
    public static long roundUp(long value, long powerOfTwo) {
        return (value + powerOfTwo - 1) & -powerOfTwo;
    }

    private static long mask(int hi, int lo) {
        return -1L >>> (63 - (hi - lo));
    }
}
