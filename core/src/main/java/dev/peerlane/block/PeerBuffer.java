package dev.peerlane.block;

import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A part of {@link PeerMemory} that can be the data of commands on any controller of the fabric.
 *
 * <p>Closing overwrites the buffer with zeroes, unless wiping was turned off, and frees it. Close
 * it only when no command can still touch it. After close, every method throws. Closing again has
 * no effect.
 *
 * <p>When a controller Reads into a buffer that another device owns, completion does not mean
 * arrival. A {@link dev.peerlane.copy.ReadFence} tells when the data has arrived.
 *
 * <p>Used by the thread that owns the fabric.
 */
public abstract class PeerBuffer implements AutoCloseable {
    private static final ValueLayout.OfLong WORD =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Creates a buffer; called by subclasses. */
    protected PeerBuffer() {}

    /** Returns the name of the device that owns the memory, or {@code host}. */
    public abstract String owner();

    /** Returns whether the buffer is in host memory. */
    public abstract boolean isHost();

    /**
     * Checks that the owner of the memory is not gone, has not failed and was not reset. Costs as
     * much as {@link BlockPort#checkHealth}, so do not call it in every turn.
     *
     * @throws dev.peerlane.PeerlaneException if the check fails; the message says what is wrong
     */
    public abstract void checkHealth();

    /** Returns the bus address of the first byte, the same for every device of the fabric. */
    public abstract long busAddress();

    /**
     * Lets a device access the buffer. Call this before that device gets a command over the buffer.
     * A fabric that can keep devices away from memory blocks every device that was not admitted.
     *
     * @throws dev.peerlane.PeerlaneException if the device refuses the buffer
     */
    public void admit(Bdf device) {}

    /** Returns the length of the buffer in bytes. */
    public abstract long sizeBytes();

    /**
     * Loads 8 bytes at an offset that is a multiple of 8. On a CMB this is a read across the bus,
     * which flushes earlier stores.
     */
    public abstract long load64(long offset);

    /** Stores 8 bytes at an offset that is a multiple of 8. On a CMB this is a posted write. */
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

    /**
     * Stores bytes from host memory in ascending order, 8 at a time. Limits and errors are those of
     * {@link #load}.
     */
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

    /** Sets whether closing overwrites the content; the default is true. */
    public abstract void wipeOnClose(boolean wipe);

    /**
     * Overwrites the buffer, unless wiping was turned off, and frees it. Closing again has no
     * effect.
     */
    @Override
    public abstract void close();
}
