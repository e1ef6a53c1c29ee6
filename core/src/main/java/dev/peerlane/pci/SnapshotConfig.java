package dev.peerlane.pci;

import java.util.Arrays;

/** Bytes of a configuration space; what was not captured reads as all ones. */
final class SnapshotConfig extends ConfigSpace {
    /** What every user may read; the rest is for root. */
    static final int PUBLIC_BYTES = 64;

    private final byte[] bytes;

    SnapshotConfig(byte[] bytes) {
        this.bytes = Arrays.copyOf(bytes, bytes.length);
    }

    /** Returns whether more than the header was readable. */
    boolean isComplete() {
        return bytes.length > PUBLIC_BYTES;
    }

    @Override
    public int load32(int offset) {
        int value = 0;
        for (int i = 3; i >= 0; i--) {
            int at = offset + i;
            value = (value << 8) | (at >= 0 && at < bytes.length ? bytes[at] & 0xff : 0xff);
        }
        return value;
    }

    @Override
    public void store32(int offset, int value) {
        throw new UnsupportedOperationException("a snapshot does not change");
    }

    @Override
    public void store16(int offset, int value) {
        throw new UnsupportedOperationException("a snapshot does not change");
    }
}
