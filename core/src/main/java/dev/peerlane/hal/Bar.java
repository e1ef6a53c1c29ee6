package dev.peerlane.hal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * One base address register's window of a PCI function: registers, doorbells, or the bytes of a
 * CMB.
 *
 * <p>A BAR need not be memory: some backends answer by message. So every touch goes through these
 * methods, each one access of exactly the stated width. Offsets are multiples of the width. An
 * offset outside the window is a bug of the caller and ends as {@link IndexOutOfBoundsException}. A
 * device that is gone reads as all ones. Stores may be posted: only a load from the same function
 * shows that they have arrived. Used by the thread that owns the function.
 */
public abstract class Bar {
    private static final ValueLayout.OfLong LE_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Creates a BAR; called by subclasses. */
    protected Bar() {}

    /** Returns which BAR this is, 0 to 5; a 64-bit BAR has the index of its lower half. */
    public abstract int index();

    /** Returns the length of the window in bytes. */
    public abstract long sizeBytes();

    /** Returns the address at which the PCI fabric decodes the window. */
    public abstract long pciAddress();

    /** Loads 4 bytes. */
    public abstract int load32(long offset);

    /**
     * Starts to load 4 bytes and does not wait for them, where the backend answers by message;
     * elsewhere the load is done on return.
     */
    public PendingLoad startLoad32(long offset) {
        return PendingLoad.done(load32(offset));
    }

    /** Stores 4 bytes, after everything that this thread stored before. */
    public abstract void store32(long offset, int value);

    /** Loads 8 bytes in one access. For CMB bytes; a 64-bit register takes two of 4 bytes. */
    public abstract long load64(long offset);

    /** Stores 8 bytes in one access. For CMB bytes; a 64-bit register takes two of 4 bytes. */
    public abstract void store64(long offset, long value);

    /** Returns the doorbell at an offset, for as long as the function is open. */
    public abstract Doorbell doorbell(long offset);

    /**
     * Copies bytes of the window to host memory, in accesses of 4 or 8 bytes.
     *
     * @param offset where in the window; a multiple of 4
     * @param target its size, a multiple of 4, is the number of bytes
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
     * @param offset where in the window; a multiple of 4
     * @param source its size, a multiple of 4, is the number of bytes
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
     * @param offset where in the window; a multiple of 4
     * @param bytes how many; a multiple of 4
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
