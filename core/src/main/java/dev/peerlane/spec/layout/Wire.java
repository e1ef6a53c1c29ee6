package dev.peerlane.spec.layout;

import dev.peerlane.Bits;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Code that all wire structures share: little-endian layouts without alignment, and small
 * conversions.
 */
public final class Wire {
    public static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    public static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Log2 of the factor between two units of a rate or a buffer: bytes, KiB, MiB, GiB. */
    private static final int UNIT_SHIFT = 10;

    private static final int MAX_UNIT = 3;

    private Wire() {}

    public static int flag(boolean value) {
        return value ? 1 : 0;
    }

    public static int u8(MemorySegment segment, long offset) {
        return Byte.toUnsignedInt(segment.get(U8, offset));
    }

    public static int u16(MemorySegment segment, long offset) {
        return Short.toUnsignedInt(segment.get(U16, offset));
    }

    /** Returns a name for an unknown value: "Unknown Opcode 3Fh". */
    public static String unknown(String what, int value) {
        return what + " " + String.format("%02Xh", value);
    }

    public static String hex3(int value) {
        return String.format("%03X", value);
    }

    public static long offsetOf(MemoryLayout layout, String name) {
        return layout.byteOffset(PathElement.groupElement(name));
    }

    /**
     * Returns the bytes of a unit code of CMBEBS, CMBSWTP and the PMR registers of the same format;
     * 0 for a reserved code.
     */
    public static long scaleBytes(int unit) {
        return unit > MAX_UNIT ? 0 : 1L << (UNIT_SHIFT * unit);
    }

    /**
     * Returns the largest unit code that divides a number of bytes such that the quotient fits into
     * 24 bits.
     */
    public static int unitOf(long bytes) {
        int unit = MAX_UNIT;
        while (unit > 0 && bytes % scaleBytes(unit) != 0) {
            unit--;
        }
        if (bytes < 0 || bytes / scaleBytes(unit) > 0xff_ffff) {
            throw new IllegalArgumentException(
                    "%d bytes do not fit into 24 bits of %d bytes"
                            .formatted(bytes, scaleBytes(unit)));
        }
        return bytes == 0 ? 0 : unit;
    }

    public static long pageNumber(long address) {
        if ((address & (Bits.PAGE_BYTES - 1)) != 0) {
            throw new IllegalArgumentException(
                    "controller base address "
                            + Long.toHexString(address)
                            + "h is not a multiple of 4 KiB");
        }
        return address >>> 12;
    }

    /** Returns the page after checking that it is long enough for the structure. */
    public static MemorySegment requireBytes(MemorySegment page, long bytes, String what) {
        if (page.byteSize() < bytes) {
            throw new IllegalArgumentException(
                    what + " needs " + bytes + " bytes, the buffer has " + page.byteSize());
        }
        return page;
    }
}
