package dev.peerlane.spec.wire;

import dev.peerlane.Bits;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;

/**
 * A completion queue entry, 16 bytes (NVMe Base 2.0, 3.3.3.2), read and written in place.
 *
 * <p>Who polls memory that a device writes loads {@link #DW2} as one 64-bit value with acquire
 * semantics and takes it apart with {@link #cidOf}, {@link #statusOf} and {@link #phaseOf}:
 * separate loads could mix two entries. The accessors over a segment are for memory at rest.
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>bytes</th><th>field</th><th>meaning</th></tr>
 * <tr><td>3:0</td><td>DW0</td><td>command specific result</td></tr>
 * <tr><td>7:4</td><td>DW1</td><td>command specific result</td></tr>
 * <tr><td>9:8</td><td>SQHD</td><td>submission queue head pointer</td></tr>
 * <tr><td>11:10</td><td>SQID</td><td>submission queue identifier</td></tr>
 * <tr><td>13:12</td><td>CID</td><td>command identifier</td></tr>
 * <tr><td>15:14</td><td>STATUS</td><td>phase tag 0, {@link Status status} 15:1</td></tr>
 * </table>
 */
public final class Cqe {
    /** The layout, the only source of the offsets. */
    public static final MemoryLayout LAYOUT =
            MemoryLayout.structLayout(
                            Wire.U32.withName("DW0"),
                            Wire.U32.withName("DW1"),
                            Wire.U16.withName("SQHD"),
                            Wire.U16.withName("SQID"),
                            Wire.U16.withName("CID"),
                            Wire.U16.withName("STATUS"))
                    .withName("CQE");

    /** Size of an entry. */
    public static final int BYTES = Math.toIntExact(LAYOUT.byteSize());

    /** Offset of dword 0. */
    public static final long DW0 = Wire.offsetOf(LAYOUT, "DW0");

    /** Offset of dword 1. */
    public static final long DW1 = Wire.offsetOf(LAYOUT, "DW1");

    /** Offset of the submission queue head pointer. */
    public static final long SQHD = Wire.offsetOf(LAYOUT, "SQHD");

    /** Offset of dwords 2 and 3, which one 64-bit load reads. */
    public static final long DW2 = SQHD;

    /** Offset of the submission queue identifier. */
    public static final long SQID = Wire.offsetOf(LAYOUT, "SQID");

    /** Offset of the command identifier. */
    public static final long CID = Wire.offsetOf(LAYOUT, "CID");

    /** Offset of the status field with the phase tag in bit 0. */
    public static final long STATUS = Wire.offsetOf(LAYOUT, "STATUS");

    private Cqe() {}

    /** Returns the submission queue head pointer in dwords 2 and 3. */
    public static int sqhdOf(long dw23) {
        return (int) Bits.get(dw23, 15, 0);
    }

    /** Returns the submission queue identifier in dwords 2 and 3. */
    public static int sqidOf(long dw23) {
        return (int) Bits.get(dw23, 31, 16);
    }

    /** Returns the command identifier in dwords 2 and 3. */
    public static int cidOf(long dw23) {
        return (int) Bits.get(dw23, 47, 32);
    }

    /** Returns the phase tag in dwords 2 and 3: 0 or 1. */
    public static int phaseOf(long dw23) {
        return (int) Bits.get(dw23, 48, 48);
    }

    /**
     * Returns the status in dwords 2 and 3 without the phase tag, in the form that {@link Status}
     * takes.
     */
    public static int statusOf(long dw23) {
        return (int) Bits.get(dw23, 63, 49);
    }

    /**
     * Composes dwords 2 and 3, for a device to store at once.
     *
     * @param status status without the phase tag
     * @param phase phase tag, 0 or 1
     */
    public static long dw23(int sqhd, int sqid, int cid, int status, int phase) {
        long queue = Bits.with(Bits.with(0L, 15, 0, sqhd), 31, 16, sqid);
        long command = Bits.with(queue, 47, 32, cid);
        return Bits.with(Bits.with(command, 48, 48, phase), 63, 49, status);
    }

    /** Returns dword 0, which is command specific. */
    public static int dw0(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + DW0);
    }

    /** Returns dword 1, which is command specific. */
    public static int dw1(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + DW1);
    }

    /** Returns dwords 2 and 3, loaded with plain memory order. */
    public static long dw23(MemorySegment segment, long offset) {
        return segment.get(Wire.U64, offset + DW2);
    }

    /** Returns the submission queue head pointer. */
    public static int sqhd(MemorySegment segment, long offset) {
        return Wire.u16(segment, offset + SQHD);
    }

    /** Returns the submission queue identifier. */
    public static int sqid(MemorySegment segment, long offset) {
        return Wire.u16(segment, offset + SQID);
    }

    /** Returns the command identifier. */
    public static int cid(MemorySegment segment, long offset) {
        return Wire.u16(segment, offset + CID);
    }

    /** Returns the phase tag: 0 or 1. */
    public static int phase(MemorySegment segment, long offset) {
        return Bits.get(Wire.u16(segment, offset + STATUS), 0, 0);
    }

    /** Returns the status without the phase tag, in the form that {@link Status} takes. */
    public static int status(MemorySegment segment, long offset) {
        return Bits.get(Wire.u16(segment, offset + STATUS), 15, 1);
    }

    /** Writes dwords 0 and 1. */
    public static void putDw01(MemorySegment segment, long offset, int dw0, int dw1) {
        segment.set(Wire.U64, offset + DW0, Integer.toUnsignedLong(dw0) | (long) dw1 << 32);
    }

    /**
     * Writes dwords 2 and 3 with plain memory order; see {@link #dw23(int, int, int, int, int)}.
     */
    public static void putDw23(MemorySegment segment, long offset, long dw23) {
        segment.set(Wire.U64, offset + DW2, dw23);
    }
}
