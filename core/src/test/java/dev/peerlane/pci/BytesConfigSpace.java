package dev.peerlane.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A configuration space over the bytes of a test. */
final class BytesConfigSpace extends ConfigSpace {
    final ByteBuffer bytes = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);

    @Override
    public int load32(int offset) {
        return bytes.getInt(offset);
    }

    @Override
    public void store32(int offset, int value) {
        bytes.putInt(offset, value);
    }

    @Override
    public void store16(int offset, int value) {
        bytes.putShort(offset, (short) value);
    }
}
