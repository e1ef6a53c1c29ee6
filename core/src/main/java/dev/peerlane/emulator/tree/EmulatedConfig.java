package dev.peerlane.emulator.tree;

import dev.peerlane.pci.ConfigSpace;
import java.util.function.IntConsumer;

/**
 * A configuration space of 4 KiB with a mask of writable bits. Writes do not change bits outside
 * the mask.
 */
final class EmulatedConfig extends ConfigSpace {
    private static final int BYTES = 4096;

    private final int[] words = new int[BYTES / 4];
    private final int[] writable = new int[BYTES / 4];
    private IntConsumer written = offset -> {};
    private FabricOwner owner = new FabricOwner();

    /**
     * Calls {@code listener} with the offset of each word that {@code by} writes. Other threads
     * can't write.
     */
    void onWrite(FabricOwner by, IntConsumer listener) {
        owner = by;
        written = listener;
    }

    /** Sets a field to its initial value. */
    void init8(int offset, int value) {
        int shift = (offset & 3) * 8;
        words[offset / 4] = (words[offset / 4] & ~(0xff << shift)) | ((value & 0xff) << shift);
    }

    /** Sets a field of 2 bytes, at a multiple of 2, to its initial value. */
    void init16(int offset, int value) {
        init8(offset, value);
        init8(offset + 1, value >>> 8);
    }

    /** Sets a field of 4 bytes, at a multiple of 4, to its initial value. */
    void init32(int offset, int value) {
        words[offset / 4] = value;
    }

    /** Makes bits of a 2-byte field writable. */
    void allow16(int offset, int mask) {
        writable[offset / 4] |= (mask & 0xffff) << ((offset & 2) * 8);
    }

    /** Makes bits of a 4-byte field writable. */
    void allow32(int offset, int mask) {
        writable[offset / 4] |= mask;
    }

    @Override
    public int load32(int offset) {
        return words[index(offset, 4)];
    }

    @Override
    public void store32(int offset, int value) {
        merge(index(offset, 4), value, -1);
    }

    @Override
    public void store16(int offset, int value) {
        int shift = (offset & 2) * 8;
        merge(index(offset, 2), value << shift, 0xffff << shift);
    }

    private void merge(int index, int value, int touched) {
        owner.check();
        int mask = writable[index] & touched;
        words[index] = (words[index] & ~mask) | (value & mask);
        written.accept(index * 4);
    }

    private static int index(int offset, int width) {
        if (offset < 0 || offset >= BYTES || offset % width != 0) {
            throw new IndexOutOfBoundsException(
                    "configuration offset 0x%x, width %d".formatted(offset, width));
        }
        return offset / 4;
    }
}
