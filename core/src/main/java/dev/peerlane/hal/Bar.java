package dev.peerlane.hal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The window of one base address register of a PCI function: registers, doorbells, or a CMB.
 *
 * <p>A BAR is not always memory: some backends access it by messages. Therefore every access goes
 * through these methods, and each is one access of exactly the stated width. Offsets are multiples
 * of the width. An offset outside the window is a programming error and throws {@link
 * IndexOutOfBoundsException}. A device that is gone reads as all ones. Stores may be posted: only a
 * load from the same function shows that they have arrived.
 *
 * <p>Used by the thread that owns the function.
 */
public abstract class Bar {
    private static final ValueLayout.OfLong LE_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Creates a BAR; called by subclasses. */
    protected Bar() {}

    /** Returns the index of the BAR, 0 to 5. For a 64-bit BAR it is the index of the lower half. */
    public abstract int index();

    /** Returns the length of the window in bytes. */
    public abstract long sizeBytes();

    /** Returns the address at which the PCI fabric decodes the window. */
    public abstract long pciAddress();

    /** Loads 4 bytes. */
    public abstract int load32(long offset);

    /**
     * Starts a load of 4 bytes. If the backend accesses the BAR by messages, this method does not
     * wait for the value. Otherwise the load is done on return.
     */
    public PendingLoad startLoad32(long offset) {
        return PendingLoad.done(load32(offset));
    }

    /** Stores 4 bytes, ordered after everything that this thread stored before. */
    public abstract void store32(long offset, int value);

    /**
     * Loads 8 bytes in one access. For CMB content only: load a 64-bit register as two times 4
     * bytes.
     */
    public abstract long load64(long offset);

    /**
     * Stores 8 bytes in one access. For CMB content only: store a 64-bit register as two times 4
     * bytes.
     */
    public abstract void store64(long offset, long value);

    /** Returns the doorbell at an offset. It is valid while the function is open. */
    public abstract Doorbell doorbell(long offset);

    /**
     * Copies bytes of the window to host memory, in accesses of 4 or 8 bytes.
     *
     * @param offset offset in the window; a multiple of 4
     * @param target the destination; its length, a multiple of 4, is the number of bytes
     */
    public void load(long offset, MemorySegment target) {
        long bytes = checkBulk(offset, target.byteSize());
        long i = 0;
        if ((offset & 7) != 0 && i < bytes) {
            target.set(LE_INT, i, load32(offset + i));
            i += 4;
        }
        for (; i + 8 <= bytes; i += 8) {
            target.set(LE_LONG, i, load64(offset + i));
        }
        for (; i < bytes; i += 4) {
            target.set(LE_INT, i, load32(offset + i));
        }
    }

    /**
     * Copies host memory into the window, in accesses of 4 or 8 bytes.
     *
     * @param offset offset in the window; a multiple of 4
     * @param source the source; its length, a multiple of 4, is the number of bytes
     */
    public void store(long offset, MemorySegment source) {
        long bytes = checkBulk(offset, source.byteSize());
        long i = 0;
        if ((offset & 7) != 0 && i < bytes) {
            store32(offset + i, source.get(LE_INT, i));
            i += 4;
        }
        for (; i + 8 <= bytes; i += 8) {
            store64(offset + i, source.get(LE_LONG, i));
        }
        for (; i < bytes; i += 4) {
            store32(offset + i, source.get(LE_INT, i));
        }
    }

    /**
     * Fills bytes of the window with a repeated word.
     *
     * @param offset offset in the window; a multiple of 4
     * @param bytes number of bytes; a multiple of 4
     * @param word the 4 bytes to repeat
     */
    public void fill(long offset, long bytes, int word) {
        checkBulk(offset, bytes);
        long twice = (Integer.toUnsignedLong(word) << 32) | Integer.toUnsignedLong(word);
        long i = 0;
        if ((offset & 7) != 0 && i < bytes) {
            store32(offset + i, word);
            i += 4;
        }
        for (; i + 8 <= bytes; i += 8) {
            store64(offset + i, twice);
        }
        for (; i < bytes; i += 4) {
            store32(offset + i, word);
        }
    }

    private static long checkBulk(long offset, long bytes) {
        if (((offset | bytes) & 3) != 0) {
            throw new IllegalArgumentException(
                    "offset 0x%x and length 0x%x must be multiples of 4".formatted(offset, bytes));
        }
        return bytes;
    }
}
