package dev.peerlane.block;

import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A piece of {@link PeerMemory}: the data of commands on any controller of the fabric.
 *
 * <p>Closing it overwrites it with zeroes, unless wiping was turned off, and gives it back. Close
 * it only when no command can still touch it. After close, every method throws. Closing again has
 * no effect. Used by the thread that owns the fabric.
 */
public abstract class PeerBuffer implements AutoCloseable {
    private static final ValueLayout.OfLong WORD =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Creates a buffer; called by subclasses. */
    protected PeerBuffer() {}

    /** Returns the name of the device whose memory it is in, or {@code host}. */
    public abstract String owner();

    /** Returns whether it is in host memory. */
    public abstract boolean isHost();

    /**
     * Looks whether the device whose memory it is in is gone, has failed or was reset, and returns
     * if nothing is wrong with it. Not for every turn: as {@link BlockPort#checkHealth}.
     *
     * @throws dev.peerlane.PeerlaneException with what is wrong
     */
    public abstract void checkHealth();

    /** Returns the address of its first byte, the same for every device of the fabric. */
    public abstract long busAddress();

    /**
     * Lets a device reach it; whoever gives that device commands over it does so before. Where a
     * fabric can keep devices from memory in which they have no part, it does.
     *
     * @throws dev.peerlane.PeerlaneException if the device refuses it
     */
    public void admit(Bdf device) {}

    /** Returns its length in bytes. */
    public abstract long sizeBytes();

    /**
     * Loads 8 bytes at a multiple of 8; on a CMB a read across the bus that drains earlier stores.
     */
    public abstract long load64(long offset);

    /** Stores 8 bytes at a multiple of 8; on a CMB a posted write. */
    public abstract void store64(long offset, long value);

    /**
     * Loads bytes into host memory, 8 at a time from the first to the last.
     *
     * @param offset of the first byte, a multiple of 8
     * @param into where they go; as many are loaded as it is long, a multiple of 8
     * @throws IndexOutOfBoundsException if the buffer ends before; nothing was loaded then
     * @throws IllegalArgumentException if offset or length is not a multiple of 8; likewise
     */
    public void load(long offset, MemorySegment into) {
        checkWords(offset, into.byteSize());
        for (long at = 0; at < into.byteSize(); at += Long.BYTES) {
            into.set(WORD, at, load64(offset + at));
        }
    }

    /** Stores bytes of host memory, 8 at a time from the first to the last; as {@link #load}. */
    public void store(long offset, MemorySegment from) {
        checkWords(offset, from.byteSize());
        for (long at = 0; at < from.byteSize(); at += Long.BYTES) {
            store64(offset + at, from.get(WORD, at));
        }
    }

    private void checkWords(long offset, long bytes) {
        Objects.checkFromIndexSize(offset, bytes, sizeBytes());
        if (((offset | bytes) & (Long.BYTES - 1)) != 0) {
            throw new IllegalArgumentException(
                    "%d bytes at offset %d are not words of 8 bytes".formatted(bytes, offset));
        }
    }

    /** Fills a range with a repeated word; offset and length are multiples of 4. */
    public abstract void fill(long offset, long bytes, int word);

    /** Sets whether closing overwrites the content; the default is that it does. */
    public abstract void wipeOnClose(boolean wipe);

    /** Wipes it and gives it back. Closing again has no effect. */
    @Override
    public abstract void close();
}
