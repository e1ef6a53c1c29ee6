package dev.peerlane.emulator.media;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * A medium in memory, which is allocated in chunks when they are first written. The chunks are
 * found through three levels of tables, of which the lower two are made when needed: a medium of 8
 * EiB costs little more than one of 8 GiB.
 */
final class MemoryMedia extends Media {
    private static final int CHUNK_SHIFT = 18;
    private static final long CHUNK_BYTES = 1L << CHUNK_SHIFT;
    private static final int TABLE_SHIFT = 15;
    private static final int TABLE = 1 << TABLE_SHIFT;

    private final long sizeBytes;
    private final Arena arena;
    private final @Nullable MemorySegment[] @Nullable [] @Nullable [] chunks;
    private final ArrayDeque<MemorySegment> spare = new ArrayDeque<>();

    /**
     * Creates a medium.
     *
     * @param arena allocates the chunks; it must outlive the medium
     */
    MemoryMedia(long sizeBytes, Arena arena) {
        this.sizeBytes = sizeBytes;
        this.arena = arena;
        long last = (sizeBytes - 1) >>> CHUNK_SHIFT;
        this.chunks = new MemorySegment[(int) (last >>> (2 * TABLE_SHIFT)) + 1][][];
    }

    @Override
    public boolean takesAnyMemory() {
        return true;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long position, MemorySegment target, long offset, long bytes) {
        long done = 0;
        while (done < bytes) {
            long at = position + done;
            long in = at & (CHUNK_BYTES - 1);
            long n = Math.min(bytes - done, CHUNK_BYTES - in);
            MemorySegment chunk = find(at >>> CHUNK_SHIFT);
            if (chunk == null) {
                zero(target, offset + done, n);
            } else {
                MemorySegment.copy(chunk, in, target, offset + done, n);
            }
            done += n;
        }
    }

    @Override
    public void write(long position, MemorySegment source, long offset, long bytes, boolean durable)
            throws OutOfSpaceException {
        long done = 0;
        while (done < bytes) {
            long at = position + done;
            long in = at & (CHUNK_BYTES - 1);
            long n = Math.min(bytes - done, CHUNK_BYTES - in);
            MemorySegment chunk = chunk(at >>> CHUNK_SHIFT);
            MemorySegment.copy(source, offset + done, chunk, in, n);
            done += n;
        }
    }

    @Override
    public void clear(long position, long bytes) {
        long end = position + bytes;
        long at = position;
        while (at < end) {
            long index = at >>> CHUNK_SHIFT;
            long in = at & (CHUNK_BYTES - 1);
            long n = Math.min(end - at, CHUNK_BYTES - in);
            @Nullable MemorySegment[] table = table(index);
            if (table == null) {
                // no chunk of this table was ever written
                n = Math.min(end - at, (TABLE - index % TABLE) * CHUNK_BYTES - in);
                at += n;
                continue;
            }
            int entry = (int) (index % TABLE);
            MemorySegment chunk = table[entry];
            if (chunk != null && n == CHUNK_BYTES) {
                table[entry] = null;
                spare.push(chunk);
            } else if (chunk != null) {
                chunk.asSlice(in, n).fill((byte) 0);
            }
            at += n;
        }
    }

    @Override
    public void flush() {
        // memory has no cache in front of it
    }

    @Override
    public void close() {
        // the owner of the arena frees the chunks
    }

    private @Nullable MemorySegment @Nullable [] table(long index) {
        @Nullable MemorySegment @Nullable [] @Nullable [] middle =
                chunks[(int) (index >>> (2 * TABLE_SHIFT))];
        return middle == null ? null : middle[(int) (index >>> TABLE_SHIFT) % TABLE];
    }

    private @Nullable MemorySegment find(long index) {
        @Nullable MemorySegment[] table = table(index);
        return table == null ? null : table[(int) (index % TABLE)];
    }

    private @Nullable MemorySegment[] makeTable(long index) {
        int top = (int) (index >>> (2 * TABLE_SHIFT));
        @Nullable MemorySegment @Nullable [] @Nullable [] middle = chunks[top];
        if (middle == null) {
            middle = new MemorySegment[entries(top, 2 * TABLE_SHIFT, TABLE_SHIFT)][];
            chunks[top] = middle;
        }
        int at = (int) (index >>> TABLE_SHIFT) % TABLE;
        @Nullable MemorySegment[] table = middle[at];
        if (table == null) {
            table = new MemorySegment[entries(index >>> TABLE_SHIFT, TABLE_SHIFT, 0)];
            middle[at] = table;
        }
        return table;
    }

    /**
     * Returns the number of entries that a table needs. The last table is only as long as the
     * medium requires.
     */
    private int entries(long table, int tableShift, int entryShift) {
        long last = (sizeBytes - 1) >>> CHUNK_SHIFT;
        long rest = (last >>> entryShift) - (table << (tableShift - entryShift));
        return (int) Math.min(TABLE, rest + 1);
    }

    private MemorySegment chunk(long index) throws OutOfSpaceException {
        MemorySegment chunk = find(index);
        if (chunk == null) {
            chunk = spare.poll();
            if (chunk == null) {
                chunk = allocate();
            } else {
                chunk.fill((byte) 0);
            }
            makeTable(index)[(int) (index % TABLE)] = chunk;
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
