package dev.peerlane.spec.wire;

import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;

/**
 * A range of Dataset Management, 16 bytes (NVM Command Set 1.0, 3.2.3).
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>bytes</th><th>field</th><th>meaning</th></tr>
 * <tr><td>3:0</td><td>CATTR</td><td>context attributes</td></tr>
 * <tr><td>7:4</td><td>LENGTH</td><td>logical blocks, not zero based</td></tr>
 * <tr><td>15:8</td><td>SLBA</td><td>starting LBA</td></tr>
 * </table>
 */
public final class DsmRange {
    /** The layout, the only source of the offsets. */
    public static final MemoryLayout LAYOUT =
            MemoryLayout.structLayout(
                            Wire.U32.withName("CATTR"),
                            Wire.U32.withName("LENGTH"),
                            Wire.U64.withName("SLBA"))
                    .withName("DSM");

    /** Length of a range in bytes. */
    public static final int BYTES = Math.toIntExact(LAYOUT.byteSize());

    private static final long CATTR = Wire.offsetOf(LAYOUT, "CATTR");
    private static final long LENGTH = Wire.offsetOf(LAYOUT, "LENGTH");
    private static final long SLBA = Wire.offsetOf(LAYOUT, "SLBA");

    private DsmRange() {}

    /** Returns the Context Attributes, which are a hint. */
    public static int cattr(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CATTR);
    }

    /** Returns the length in logical blocks, 0 to 2^32 - 1. */
    public static long blocks(MemorySegment segment, long offset) {
        return Integer.toUnsignedLong(segment.get(Wire.U32, offset + LENGTH));
    }

    /** Returns the Starting LBA. */
    public static long slba(MemorySegment segment, long offset) {
        return segment.get(Wire.U64, offset + SLBA);
    }

    /**
     * Writes a range without attributes.
     *
     * @param blocks length in logical blocks, 0 to 2^32 - 1
     * @throws IllegalArgumentException if the length does not fit
     */
    public static void put(MemorySegment segment, long offset, long slba, long blocks) {
        if (blocks < 0 || blocks > 0xFFFF_FFFFL) {
            throw new IllegalArgumentException(
                    "a range has at most 2^32 - 1 blocks, not " + blocks);
        }
        segment.set(Wire.U32, offset + CATTR, 0);
        segment.set(Wire.U32, offset + LENGTH, (int) blocks);
        segment.set(Wire.U64, offset + SLBA, slba);
    }
}
