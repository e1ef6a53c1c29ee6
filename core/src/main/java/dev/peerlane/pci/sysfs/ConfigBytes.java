package dev.peerlane.pci.sysfs;

import dev.peerlane.pci.ConfigSpace;
import java.util.Arrays;
import java.util.BitSet;

/**
 * A copy of a configuration space. Bytes that were not copied read as all ones, and stores to them
 * have no effect.
 */
public final class ConfigBytes extends ConfigSpace {
    private final byte[] bytes;
    private final BitSet known;

    /** Copies the bytes, which start at offset 0. */
    public ConfigBytes(byte[] bytes) {
        this.bytes = Arrays.copyOf(bytes, bytes.length);
        known = new BitSet();
        known.set(0, bytes.length);
    }

    /** Copies the bytes that are known. */
    ConfigBytes(byte[] bytes, BitSet known) {
        this.bytes = bytes.clone();
        this.known = (BitSet) known.clone();
    }

    /** Returns a copy of all bytes. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** Returns how many bytes were copied. */
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
