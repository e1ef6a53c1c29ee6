package dev.peerlane.emulator.media;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The bytes behind a namespace. Bytes that were never written, or were deallocated, read as zeroes.
 */
public abstract class Media implements AutoCloseable {
    private static final long ZEROES_BYTES = 64 << 10;
    private static final MemorySegment ZEROES = Arena.global().allocate(ZEROES_BYTES, 64);

    /** Zeroes a part of memory, without allocating a slice for each command. */
    static void zero(MemorySegment target, long offset, long bytes) {
        for (long done = 0; done < bytes; done += ZEROES_BYTES) {
            long n = Math.min(ZEROES_BYTES, bytes - done);
            MemorySegment.copy(ZEROES, 0, target, offset + done, n);
        }
    }

    /**
     * Returns whether this medium accepts memory that the drive does not own. It must keep no
     * reference to such memory, and memory that disappears must not count as an error of the
     * medium.
     */
    public boolean takesAnyMemory() {
        return false;
    }

    /** Returns the length in bytes. */
    public abstract long sizeBytes();

    /**
     * Reads bytes of this medium into {@code target}, from {@code offset} on. The range must lie
     * inside the medium.
     */
    public abstract void read(long position, MemorySegment target, long offset, long bytes)
            throws IOException;

    /**
     * Writes the bytes of {@code source} from {@code offset} on. The range must lie inside the
     * medium.
     *
     * @param durable whether the bytes must be on the medium, not in its cache, on return
     * @throws OutOfSpaceException if there is no room for the bytes
     */
    public abstract void write(
            long position, MemorySegment source, long offset, long bytes, boolean durable)
            throws IOException;

    /** Makes a range inside this medium read as zeroes. */
    public abstract void clear(long position, long bytes) throws IOException;

    /** Returns whether the cache may hold data that is not on the medium. */
    public boolean isDirty() {
        return false;
    }

    /** Writes the cache to the medium. */
    public abstract void flush() throws IOException;

    @Override
    public abstract void close();

    /**
     * Closes the medium because its drive could not be made, and deletes the file if it was made
     * for it.
     */
    void undo() {
        close();
    }

    /** The error of a write for which there is no room. */
    public static final class OutOfSpaceException extends IOException {
        private static final long serialVersionUID = 1L;

        OutOfSpaceException(Throwable cause) {
            super(cause);
        }
    }
}
