package dev.peerlane.spec;

import dev.peerlane.Bits;

/**
 * An LBA Format of a namespace, 4 bytes (NVM Command Set 1.0, 4.1.5.1).
 *
 * @param raw the format's 32 bits
 */
public record LbaFormat(int raw) {
    /** Length of a format in bytes. */
    public static final int BYTES = 4;

    /** Smallest LBADS of a usable format: 512 bytes. */
    public static final int MIN_LBADS = 9;

    private static final int MAX_SHIFT = 62;

    /** Composes a format: metadata bytes, block size as a power of two, relative performance. */
    public static LbaFormat of(int ms, int lbads, int rp) {
        return new LbaFormat(
                Bits.with(Bits.with(Bits.with(0, 15, 0, ms), 23, 16, lbads), 25, 24, rp));
    }

    /** Returns the Metadata Size: bytes of metadata for each block. */
    public int ms() {
        return Bits.get(raw, 15, 0);
    }

    /** Returns the LBA Data Size as a power of two; 0 for a format that is not available. */
    public int lbads() {
        return Bits.get(raw, 23, 16);
    }

    /** Returns the Relative Performance: 0 best, 3 degraded. */
    public int rp() {
        return Bits.get(raw, 25, 24);
    }

    /** Returns the data bytes of a block; 0 if LBADS is below {@link #MIN_LBADS} or invalid. */
    public long dataBytes() {
        return lbads() < MIN_LBADS || lbads() > MAX_SHIFT ? 0 : 1L << lbads();
    }
}
