package dev.peerlane.spec;

import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One field of an Identify or log page: its offset and length. The decoder reads and the emulated
 * device writes through the same field, so a page has one source of offsets.
 *
 * @param offset byte offset in the page
 * @param bytes length; fields of 1, 2, 4 and 8 bytes also read as integers
 */
public record WireField(int offset, int bytes) {
    private static final char REPLACEMENT = '?';

    /** Checks offset and length. */
    public WireField {
        if (offset < 0 || bytes <= 0) {
            throw new IllegalArgumentException(
                    "invalid field at " + offset + " of " + bytes + " bytes");
        }
    }

    /** Returns the value as an unsigned integer; all 64 bits of an 8-byte field. */
    public long read(MemorySegment page) {
        return switch (bytes) {
            case 1 -> Wire.u8(page, offset);
            case 2 -> Wire.u16(page, offset);
            case 4 -> Integer.toUnsignedLong(page.get(Wire.U32, offset));
            case 8 -> page.get(Wire.U64, offset);
            default -> throw new IllegalStateException(bytes + " bytes are not an integer");
        };
    }

    /** Returns the lower 32 bits of {@link #read}. */
    public int readInt(MemorySegment page) {
        return (int) read(page);
    }

    /**
     * Writes an unsigned integer.
     *
     * @throws IllegalArgumentException if the value does not fit
     */
    public void write(MemorySegment page, long value) {
        if (bytes < Long.BYTES && value >>> (Byte.SIZE * bytes) != 0) {
            throw new IllegalArgumentException(
                    "value " + Long.toHexString(value) + "h does not fit " + bytes + " bytes");
        }
        switch (bytes) {
            case 1 -> page.set(Wire.U8, offset, (byte) value);
            case 2 -> page.set(Wire.U16, offset, (short) value);
            case 4 -> page.set(Wire.U32, offset, (int) value);
            case 8 -> page.set(Wire.U64, offset, value);
            default -> throw new IllegalStateException(bytes + " bytes are not an integer");
        }
    }

    /** Returns the bytes in the order of the page. */
    public byte[] readBytes(MemorySegment page) {
        return page.asSlice(offset, bytes).toArray(ValueLayout.JAVA_BYTE);
    }

    /**
     * Writes bytes in the order of the page.
     *
     * @throws IllegalArgumentException if the number of bytes is not the field's length
     */
    public void writeBytes(MemorySegment page, byte[] value) {
        if (value.length != bytes) {
            throw new IllegalArgumentException(value.length + " bytes for a field of " + bytes);
        }
        MemorySegment.copy(MemorySegment.ofArray(value), 0, page, offset, bytes);
    }

    /** Returns the value as an unsigned little-endian integer of any length. */
    public BigInteger readBig(MemorySegment page) {
        return new BigInteger(1, reversed(readBytes(page)));
    }

    /**
     * Writes an unsigned little-endian integer of any length.
     *
     * @throws IllegalArgumentException if the value is negative or does not fit
     */
    public void writeBig(MemorySegment page, BigInteger value) {
        if (value.signum() < 0 || value.bitLength() > bytes * Byte.SIZE) {
            throw new IllegalArgumentException(value + " does not fit " + bytes + " bytes");
        }
        byte[] big = value.toByteArray();
        byte[] little = new byte[bytes];
        for (int i = 0; i < Math.min(big.length, bytes); i++) {
            little[i] = big[big.length - 1 - i];
        }
        writeBytes(page, little);
    }

    /**
     * Returns the value as text without padding: blanks and zeroes are removed at both ends.
     * Characters other than printable ASCII become question marks, because the text goes to
     * terminals and logs.
     */
    public String readText(MemorySegment page) {
        byte[] raw = readBytes(page);
        int start = 0;
        int end = raw.length;
        while (end > start && isPadding(raw[end - 1])) {
            end--;
        }
        while (start < end && isPadding(raw[start])) {
            start++;
        }
        StringBuilder text = new StringBuilder(end - start);
        for (int i = start; i < end; i++) {
            boolean printable = raw[i] >= ' ' && raw[i] <= '~';
            text.append(printable ? (char) raw[i] : REPLACEMENT);
        }
        return text.toString();
    }

    /** Writes ASCII text padded with blanks, the format of serial and model numbers. */
    public void writeText(MemorySegment page, String text) {
        writePadded(page, text, (byte) ' ');
    }

    /** Writes text padded with zeroes, the format of qualified names. */
    public void writeZeroTerminated(MemorySegment page, String text) {
        writePadded(page, text, (byte) 0);
    }

    private void writePadded(MemorySegment page, String text, byte padding) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        if (ascii.length > bytes) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" is longer than the " + bytes + " bytes of its field");
        }
        byte[] padded = Arrays.copyOf(ascii, bytes);
        Arrays.fill(padded, ascii.length, bytes, padding);
        writeBytes(page, padded);
    }

    private static boolean isPadding(byte b) {
        return b == ' ' || b == 0;
    }

    private static byte[] reversed(byte[] bytes) {
        byte[] result = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            result[i] = bytes[bytes.length - 1 - i];
        }
        return result;
    }
}
