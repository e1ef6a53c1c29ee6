package dev.peerlane.pci.sysfs;

import dev.peerlane.pci.ConfigSpace;
import java.util.Arrays;
import java.util.BitSet;

/**
 * A configuration space that was copied. What was not copied reads as all ones; it is written only
 * where it was copied.
 */
public final class ConfigBytes extends ConfigSpace {
    private final byte[] bytes;
    private final BitSet known;

    /** Takes a copy of the bytes, which start at offset 0. */
    public ConfigBytes(byte[] bytes) {
        this.bytes = Arrays.copyOf(bytes, bytes.length);
        known = new BitSet();
        known.set(0, bytes.length);
    }

    /** Takes a copy of those bytes that are known. */
    ConfigBytes(byte[] bytes, BitSet known) {
        this.bytes = bytes.clone();
        this.known = (BitSet) known.clone();
    }

    /** Returns a copy of all of it. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** Returns how much was copied. */
    public int length() {
        return bytes.length;
    }

    @Override
    public int load32(int offset) {
        int value = 0;
        for (int i = 3; i >= 0; i--) {
            int at = offset + i;
            value = (value << 8) | (at >= 0 && known.get(at) ? bytes[at] & 0xff : 0xff);
        }
        return value;
    }

    @Override
    public void store32(int offset, int value) {
        store(offset, value, 4);
    }

    @Override
    public void store16(int offset, int value) {
        store(offset, value, 2);
    }

    private void store(int offset, int value, int count) {
        for (int i = 0; i < count; i++) {
            if (offset + i >= 0 && offset + i < bytes.length) {
                bytes[offset + i] = (byte) (value >>> (8 * i));
            }
        }
    }
}
