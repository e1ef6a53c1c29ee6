package dev.peerlane.emulator;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** A medium in memory, taken in chunks as they are first written. */
final class MemoryMedia extends Media {
    private static final int CHUNK_SHIFT = 18;
    private static final long CHUNK_BYTES = 1L << CHUNK_SHIFT;

    private final long sizeBytes;
    private final Arena arena;
    private final @Nullable MemorySegment[] chunks;
    private final ArrayDeque<MemorySegment> spare = new ArrayDeque<>();

    /**
     * Creates a medium.
     *
     * @param arena where chunks come from; outlives the medium
     */
    MemoryMedia(long sizeBytes, Arena arena) {
        this.sizeBytes = sizeBytes;
        this.arena = arena;
        long count = (sizeBytes + CHUNK_BYTES - 1) >>> CHUNK_SHIFT;
        this.chunks = new MemorySegment[Math.toIntExact(count)];
    }

    @Override
    long sizeBytes() {
        return sizeBytes;
    }

    @Override
    void read(long position, MemorySegment target, long offset, long bytes) {
        long done = 0;
        while (done < bytes) {
            long at = position + done;
            long in = at & (CHUNK_BYTES - 1);
            long n = Math.min(bytes - done, CHUNK_BYTES - in);
            MemorySegment chunk = chunks[(int) (at >>> CHUNK_SHIFT)];
            if (chunk == null) {
                zero(target, offset + done, n);
            } else {
                MemorySegment.copy(chunk, in, target, offset + done, n);
            }
            done += n;
        }
    }

    @Override
    void write(long position, MemorySegment source, long offset, long bytes, boolean durable)
            throws OutOfSpaceException {
        long done = 0;
        while (done < bytes) {
            long at = position + done;
            long in = at & (CHUNK_BYTES - 1);
            long n = Math.min(bytes - done, CHUNK_BYTES - in);
            MemorySegment chunk = chunk((int) (at >>> CHUNK_SHIFT));
            MemorySegment.copy(source, offset + done, chunk, in, n);
            done += n;
        }
    }

    @Override
    void clear(long position, long bytes) {
        long done = 0;
        while (done < bytes) {
            long at = position + done;
            long in = at & (CHUNK_BYTES - 1);
            long n = Math.min(bytes - done, CHUNK_BYTES - in);
            int index = (int) (at >>> CHUNK_SHIFT);
            MemorySegment chunk = chunks[index];
            if (chunk != null && n == CHUNK_BYTES) {
                chunks[index] = null;
                spare.push(chunk);
            } else if (chunk != null) {
                chunk.asSlice(in, n).fill((byte) 0);
            }
            done += n;
        }
    }

    @Override
    void flush() {
        // memory has no cache in front of it
    }

    @Override
    public void close() {
        // the arena's owner gives the chunks back
    }

    private MemorySegment chunk(int index) throws OutOfSpaceException {
        MemorySegment chunk = chunks[index];
        if (chunk == null) {
            chunk = spare.poll();
            if (chunk == null) {
                chunk = allocate();
            } else {
                chunk.fill((byte) 0);
            }
            chunks[index] = chunk;
        }
        return chunk;
    }

    private MemorySegment allocate() throws OutOfSpaceException {
        try {
            return arena.allocate(CHUNK_BYTES, 64);
        } catch (OutOfMemoryError e) {
            throw new OutOfSpaceException(e);
        }
    }
}
