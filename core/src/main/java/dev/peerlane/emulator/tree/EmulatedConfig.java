package dev.peerlane.emulator.tree;

import dev.peerlane.pci.ConfigSpace;
import java.util.function.IntConsumer;

/**
 * 4 KiB of configuration space with a mask of writable bits. Bits outside the mask keep their
 * value, whatever is written.
 */
final class EmulatedConfig extends ConfigSpace {
    private static final int BYTES = 4096;

    private final int[] words = new int[BYTES / 4];
    private final int[] writable = new int[BYTES / 4];
    private IntConsumer written = offset -> {};
    private FabricOwner owner = new FabricOwner();

    /** Calls {@code listener} with the offset of each word that {@code by} alone may write. */
    void onWrite(FabricOwner by, IntConsumer listener) {
        owner = by;
        written = listener;
    }

    /** Puts a field where the function's maker wants it. */
    void init8(int offset, int value) {
        int shift = (offset & 3) * 8;
        words[offset / 4] = (words[offset / 4] & ~(0xff << shift)) | ((value & 0xff) << shift);
    }

    /** Puts a field of 2 bytes at a multiple of 2. */
    void init16(int offset, int value) {
        init8(offset, value);
        init8(offset + 1, value >>> 8);
    }

    /** Puts a field of 4 bytes at a multiple of 4. */
    void init32(int offset, int value) {
        words[offset / 4] = value;
    }

    /** Lets software write bits of a 2-byte field. */
    void allow16(int offset, int mask) {
        writable[offset / 4] |= (mask & 0xffff) << ((offset & 2) * 8);
    }

    /** Lets software write bits of a 4-byte field. */
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
