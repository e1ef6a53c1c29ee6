package dev.peerlane.emulator.media;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The bytes behind a namespace. What was never written, or was deallocated, reads as zeroes. */
public abstract class Media implements AutoCloseable {
    private static final long ZEROES_BYTES = 64 << 10;
    private static final MemorySegment ZEROES = Arena.global().allocate(ZEROES_BYTES, 64);

    /** Zeroes a part of memory. A slice to fill would be an object for each command. */
    static void zero(MemorySegment target, long offset, long bytes) {
        for (long done = 0; done < bytes; done += ZEROES_BYTES) {
            long n = Math.min(ZEROES_BYTES, bytes - done);
            MemorySegment.copy(ZEROES, 0, target, offset + done, n);
        }
    }

    /**
     * Returns whether it may be given memory of others to read and write, not only the drive's own:
     * it keeps nothing of it, and memory that goes away meanwhile is no error of the medium.
     */
    public boolean takesAnyMemory() {
        return false;
    }

    /** Returns its length. */
    public abstract long sizeBytes();

    /** Reads bytes that lie inside it into {@code target}, from {@code offset} on. */
    public abstract void read(long position, MemorySegment target, long offset, long bytes)
            throws IOException;

    /**
     * Writes bytes that lie inside it, those of {@code source} from {@code offset} on.
     *
     * @param durable whether they have to be on the medium, not in its cache, when this returns
     * @throws OutOfSpaceException if there is no room for them
     */
    public abstract void write(
            long position, MemorySegment source, long offset, long bytes, boolean durable)
            throws IOException;

    /** Makes bytes that lie inside it read as zeroes. */
    public abstract void clear(long position, long bytes) throws IOException;

    /** Returns whether something may be in its cache that is not on the medium. */
    public boolean isDirty() {
        return false;
    }

    /** Writes its cache to the medium. */
    public abstract void flush() throws IOException;

    @Override
    public abstract void close();

    /** Closes it because its drive could not be made: a file that was made for it goes, too. */
    void undo() {
        close();
    }

    /** There is no room for what is to be written. */
    public static final class OutOfSpaceException extends IOException {
        private static final long serialVersionUID = 1L;

        OutOfSpaceException(Throwable cause) {
            super(cause);
        }
    }
}
