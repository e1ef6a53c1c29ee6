package dev.peerlane.spec.wire;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;

/**
 * A submission queue entry, 64 bytes (NVMe Base 2.0, 3.3.3.1), read and written in place at an
 * offset of a segment.
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>bytes</th><th>field</th><th>meaning</th></tr>
 * <tr><td>3:0</td><td>CDW0</td><td>OPC 7:0, FUSE 9:8, PSDT 15:14, CID 31:16</td></tr>
 * <tr><td>7:4</td><td>NSID</td><td>namespace identifier</td></tr>
 * <tr><td>15:8</td><td>CDW2, CDW3</td><td>command specific</td></tr>
 * <tr><td>23:16</td><td>MPTR</td><td>metadata pointer</td></tr>
 * <tr><td>31:24</td><td>PRP1</td><td>first page of the data, or half of an SGL descriptor</td></tr>
 * <tr><td>39:32</td><td>PRP2</td><td>second page, PRP list, or half of an SGL descriptor</td></tr>
 * <tr><td>63:40</td><td>CDW10 to CDW15</td><td>command specific</td></tr>
 * </table>
 */
public final class Sqe {
    /** The layout, the only source of the offsets. */
    public static final MemoryLayout LAYOUT =
            MemoryLayout.structLayout(
                            Wire.U32.withName("CDW0"),
                            Wire.U32.withName("NSID"),
                            Wire.U32.withName("CDW2"),
                            Wire.U32.withName("CDW3"),
                            Wire.U64.withName("MPTR"),
                            Wire.U64.withName("PRP1"),
                            Wire.U64.withName("PRP2"),
                            Wire.U32.withName("CDW10"),
                            Wire.U32.withName("CDW11"),
                            Wire.U32.withName("CDW12"),
                            Wire.U32.withName("CDW13"),
                            Wire.U32.withName("CDW14"),
                            Wire.U32.withName("CDW15"))
                    .withName("SQE");

    /** Length of an entry in bytes. */
    public static final int BYTES = Math.toIntExact(LAYOUT.byteSize());

    /** Offset of command dword 0. */
    public static final long CDW0 = Wire.offsetOf(LAYOUT, "CDW0");

    /** Offset of the namespace identifier. */
    public static final long NSID = Wire.offsetOf(LAYOUT, "NSID");

    /** Offset of command dword 2. */
    public static final long CDW2 = Wire.offsetOf(LAYOUT, "CDW2");

    /** Offset of command dword 3. */
    public static final long CDW3 = Wire.offsetOf(LAYOUT, "CDW3");

    /** Offset of the metadata pointer. */
    public static final long MPTR = Wire.offsetOf(LAYOUT, "MPTR");

    /** Offset of PRP entry 1; the data pointer's first half. */
    public static final long PRP1 = Wire.offsetOf(LAYOUT, "PRP1");

    /** Offset of PRP entry 2; the data pointer's second half. */
    public static final long PRP2 = Wire.offsetOf(LAYOUT, "PRP2");

    /** Offset of command dword 10. */
    public static final long CDW10 = Wire.offsetOf(LAYOUT, "CDW10");

    /** Offset of command dword 11. */
    public static final long CDW11 = Wire.offsetOf(LAYOUT, "CDW11");

    /** Offset of command dword 12. */
    public static final long CDW12 = Wire.offsetOf(LAYOUT, "CDW12");

    /** Offset of command dword 13. */
    public static final long CDW13 = Wire.offsetOf(LAYOUT, "CDW13");

    /** Offset of command dword 14. */
    public static final long CDW14 = Wire.offsetOf(LAYOUT, "CDW14");

    /** Offset of command dword 15. */
    public static final long CDW15 = Wire.offsetOf(LAYOUT, "CDW15");

    /** {@link #psdt}: the data pointer holds PRPs. */
    public static final int PSDT_PRP = 0;

    /** {@link #psdt}: the data pointer is an SGL; MPTR is an address. */
    public static final int PSDT_SGL = 1;

    /** {@link #psdt}: the data pointer is an SGL; MPTR points to an SGL segment. */
    public static final int PSDT_SGL_MPTR_SGL = 2;

    /** {@link #fuse}: a command that is not fused. */
    public static final int FUSE_NONE = 0;

    /** {@link #fuse}: the first of two fused commands. */
    public static final int FUSE_FIRST = 1;

    /** {@link #fuse}: the second of two fused commands. */
    public static final int FUSE_SECOND = 2;

    private Sqe() {}

    /**
     * Composes command dword 0 of a command that is not fused and uses PRPs.
     *
     * @param opcode opcode, 0 to 255
     * @param cid command identifier, 0 to 65,535
     */
    public static int cdw0(int opcode, int cid) {
        return (opcode & 0xFF) | (cid << 16);
    }

    /** Composes command dword 0 with all its fields. */
    public static int cdw0(int opcode, int fuse, int psdt, int cid) {
        return Bits.with(Bits.with(cdw0(opcode, cid), 9, 8, fuse), 15, 14, psdt);
    }

    /** Composes command dwords 0 (low half) and 1 from a dword 0 and a namespace identifier. */
    public static long cdw0to1(int cdw0, int nsid) {
        return Integer.toUnsignedLong(cdw0) | (long) nsid << 32;
    }

    /** Returns the opcode. */
    public static int opcode(MemorySegment segment, long offset) {
        return Bits.get(cdw0(segment, offset), 7, 0);
    }

    /** Returns the Fused Operation field. */
    public static int fuse(MemorySegment segment, long offset) {
        return Bits.get(cdw0(segment, offset), 9, 8);
    }

    /** Returns the field PRP or SGL for Data Transfer. */
    public static int psdt(MemorySegment segment, long offset) {
        return Bits.get(cdw0(segment, offset), 15, 14);
    }

    /** Returns the Command Identifier. */
    public static int cid(MemorySegment segment, long offset) {
        return Bits.get(cdw0(segment, offset), 31, 16);
    }

    /** Returns command dword 0. */
    public static int cdw0(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CDW0);
    }

    /** Returns the Namespace Identifier, unsigned. */
    public static int nsid(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + NSID);
    }

    /** Returns command dword 2. */
    public static int cdw2(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CDW2);
    }

    /** Returns command dword 3. */
    public static int cdw3(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CDW3);
    }

    /** Returns the Metadata Pointer. */
    public static long mptr(MemorySegment segment, long offset) {
        return segment.get(Wire.U64, offset + MPTR);
    }

    /** Returns PRP Entry 1. */
    public static long prp1(MemorySegment segment, long offset) {
        return segment.get(Wire.U64, offset + PRP1);
    }

    /** Returns PRP Entry 2. */
    public static long prp2(MemorySegment segment, long offset) {
        return segment.get(Wire.U64, offset + PRP2);
    }

    /** Returns command dword 10. */
    public static int cdw10(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CDW10);
    }

    /** Returns command dword 11. */
    public static int cdw11(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CDW11);
    }

    /** Returns command dword 12. */
    public static int cdw12(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CDW12);
    }

    /** Returns command dword 13. */
    public static int cdw13(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CDW13);
    }

    /** Returns command dword 14. */
    public static int cdw14(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CDW14);
    }

    /** Returns command dword 15. */
    public static int cdw15(MemorySegment segment, long offset) {
        return segment.get(Wire.U32, offset + CDW15);
    }

    /** Writes command dword 0. */
    public static void putCdw0(MemorySegment segment, long offset, int cdw0) {
        segment.set(Wire.U32, offset + CDW0, cdw0);
    }

    /** Writes the Namespace Identifier. */
    public static void putNsid(MemorySegment segment, long offset, int nsid) {
        segment.set(Wire.U32, offset + NSID, nsid);
    }

    /** Writes command dword 2. */
    public static void putCdw2(MemorySegment segment, long offset, int cdw2) {
        segment.set(Wire.U32, offset + CDW2, cdw2);
    }

    /** Writes command dword 3. */
    public static void putCdw3(MemorySegment segment, long offset, int cdw3) {
        segment.set(Wire.U32, offset + CDW3, cdw3);
    }

    /** Writes the Metadata Pointer. */
    public static void putMptr(MemorySegment segment, long offset, long mptr) {
        segment.set(Wire.U64, offset + MPTR, mptr);
    }

    /** Writes PRP Entry 1. */
    public static void putPrp1(MemorySegment segment, long offset, long prp1) {
        segment.set(Wire.U64, offset + PRP1, prp1);
    }

    /** Writes PRP Entry 2. */
    public static void putPrp2(MemorySegment segment, long offset, long prp2) {
        segment.set(Wire.U64, offset + PRP2, prp2);
    }

    /** Writes command dword 10. */
    public static void putCdw10(MemorySegment segment, long offset, int cdw10) {
        segment.set(Wire.U32, offset + CDW10, cdw10);
    }

    /** Writes command dword 11. */
    public static void putCdw11(MemorySegment segment, long offset, int cdw11) {
        segment.set(Wire.U32, offset + CDW11, cdw11);
    }

    /** Writes command dword 12. */
    public static void putCdw12(MemorySegment segment, long offset, int cdw12) {
        segment.set(Wire.U32, offset + CDW12, cdw12);
    }

    /** Writes command dword 13. */
    public static void putCdw13(MemorySegment segment, long offset, int cdw13) {
        segment.set(Wire.U32, offset + CDW13, cdw13);
    }

    /** Writes command dword 14. */
    public static void putCdw14(MemorySegment segment, long offset, int cdw14) {
        segment.set(Wire.U32, offset + CDW14, cdw14);
    }

    /** Writes command dword 15. */
    public static void putCdw15(MemorySegment segment, long offset, int cdw15) {
        segment.set(Wire.U32, offset + CDW15, cdw15);
    }
}
