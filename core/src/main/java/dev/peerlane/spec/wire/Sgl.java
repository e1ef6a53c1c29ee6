package dev.peerlane.spec.wire;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;

/**
 * An SGL descriptor, 16 bytes (NVMe Base 2.0, 4.1.2).
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>bytes</th><th>field</th><th>meaning</th></tr>
 * <tr><td>7:0</td><td>ADDRESS</td><td>where the data or the next segment is</td></tr>
 * <tr><td>11:8</td><td>LENGTH</td><td>bytes</td></tr>
 * <tr><td>15</td><td>ID</td><td>subtype 3:0, type 7:4</td></tr>
 * </table>
 */
public final class Sgl {
    /** The layout, the only source of the offsets. */
    public static final MemoryLayout LAYOUT =
            MemoryLayout.structLayout(
                            Wire.U64.withName("ADDRESS"),
                            Wire.U32.withName("LENGTH"),
                            MemoryLayout.paddingLayout(3),
                            Wire.U8.withName("ID"))
                    .withName("SGL");

    /** Length of a descriptor in bytes. */
    public static final int BYTES = Math.toIntExact(LAYOUT.byteSize());

    /** Type: a data block. */
    public static final int DATA_BLOCK = 0;

    /** Type: a bit bucket, for data to discard. */
    public static final int BIT_BUCKET = 1;

    /** Type: a segment with more descriptors, at another address. */
    public static final int SEGMENT = 2;

    /** Type: the segment with the last descriptors, at another address. */
    public static final int LAST_SEGMENT = 3;

    /** Subtype: the address is a bus address. */
    public static final int SUBTYPE_ADDRESS = 0;

    /** Subtype: the address is an offset. */
    public static final int SUBTYPE_OFFSET = 1;

    private static final long ADDRESS = Wire.offsetOf(LAYOUT, "ADDRESS");
    private static final long LENGTH = Wire.offsetOf(LAYOUT, "LENGTH");
    private static final long ID = Wire.offsetOf(LAYOUT, "ID");

    private Sgl() {}

    /** Returns the address. */
    public static long address(MemorySegment segment, long offset) {
        return segment.get(Wire.U64, offset + ADDRESS);
    }

    /** Returns the length in bytes. */
    public static long lengthBytes(MemorySegment segment, long offset) {
        return Integer.toUnsignedLong(segment.get(Wire.U32, offset + LENGTH));
    }

    /** Returns the descriptor subtype. */
    public static int subtype(MemorySegment segment, long offset) {
        return Bits.get(Wire.u8(segment, offset + ID), 3, 0);
    }

    /** Returns the descriptor type. */
    public static int type(MemorySegment segment, long offset) {
        return Bits.get(Wire.u8(segment, offset + ID), 7, 4);
    }

    /**
     * Writes all 16 bytes of a descriptor of subtype {@link #SUBTYPE_ADDRESS}.
     *
     * @param type such as {@link #DATA_BLOCK}
     * @param lengthBytes length, 0 to 2^32 - 1
     */
    public static void put(
            MemorySegment segment, long offset, int type, long address, long lengthBytes) {
        long id = Bits.with(0L, 63, 60, type);
        segment.set(Wire.U64, offset + ADDRESS, address);
        segment.set(Wire.U64, offset + LENGTH, Bits.with(id, 31, 0, lengthBytes));
    }
}
