package dev.peerlane.vfio;

import dev.peerlane.Bits;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Allocates I/O virtual addresses for host memory. Addresses above 4 GiB come first. Freed
 * addresses are reused as late as possible, so that a stray DMA access of a device hits no mapping.
 */
final class IovaAllocator {
    private static final long FOUR_GIB = 1L << 32;
    private static final long GAP = 4096;

    private final TreeMap<Long, Long> free = new TreeMap<>();
    private long cursor = FOUR_GIB;

    /** Creates an allocator over the spans that host memory may use. */
    IovaAllocator(List<Span> usable) {
        usable.forEach(span -> free.put(span.start(), span.last()));
    }

    /**
     * Allocates a run of addresses, followed by a gap that stays unused.
     *
     * @param alignBytes a power of two
     * @return the run's first address, or -1 if no free run is large enough
     */
    long take(long bytes, long alignBytes) {
        long at = take(cursor, bytes, alignBytes);
        if (at < 0) {
            at = take(FOUR_GIB, bytes, alignBytes);
        }
        if (at < 0) {
            at = take(alignBytes, bytes, alignBytes); // never address 0
        }
        if (at >= 0) {
            cursor = at + bytes + GAP;
        }
        return at;
    }

    private long take(long from, long bytes, long alignBytes) {
        long length = bytes + GAP;
        Map.Entry<Long, Long> entry = free.floorEntry(from);
        if (entry == null) {
            entry = free.ceilingEntry(from);
        }
        while (entry != null) {
            long start = entry.getKey();
            long last = entry.getValue();
            long at = Bits.roundUp(Math.max(start, from), alignBytes);
            if (at >= start && at <= last && last - at >= length - 1) {
                free.remove(start);
                put(start, at - 1);
                put(at + length, last);
                return at;
            }
            entry = free.higherEntry(start);
        }
        return -1;
    }

    /** Frees a run that {@link #take} returned. */
    void give(long at, long bytes) {
        long start = at;
        long last = at + bytes + GAP - 1;
        Map.Entry<Long, Long> below = free.lowerEntry(start);
        if (below != null && below.getValue() == start - 1) {
            start = below.getKey();
        }
        Map.Entry<Long, Long> above = free.ceilingEntry(last);
        if (above != null && above.getKey() == last + 1) {
            free.remove(above.getKey());
            last = above.getValue();
        }
        free.put(start, last);
    }

    private void put(long start, long last) {
        if (start <= last) {
            free.put(start, last);
        }
    }
}
