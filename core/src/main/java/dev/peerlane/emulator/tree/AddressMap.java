package dev.peerlane.emulator.tree;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Which memory is behind which bus address. Looked up by binary search; allocates nothing then. */
public final class AddressMap {
    /**
     * A run of bus addresses.
     *
     * @param base first address
     * @param translated what the IOMMU makes of the first address
     * @param sizeBytes its length
     * @param memory what is behind it
     * @param memoryOffset where in that memory it begins
     * @param owner whose BAR it is, or null for host memory
     * @param bar which of the owner's BARs
     */
    public record Range(
            long base,
            long translated,
            long sizeBytes,
            MemorySegment memory,
            long memoryOffset,
            @Nullable EmulatedFunction owner,
            EmulatedFunction.@Nullable BarSpace bar) {
        /** A run that is mapped identically. */
        public Range(
                long base,
                long sizeBytes,
                MemorySegment memory,
                long memoryOffset,
                @Nullable EmulatedFunction owner,
                EmulatedFunction.@Nullable BarSpace bar) {
            this(base, base, sizeBytes, memory, memoryOffset, owner, bar);
        }
    }

    private Range[] ranges = new Range[16];
    private int count;
    private @Nullable Range lastFound;

    /** Returns the range that holds all of these bytes, or null. */
    public @Nullable Range find(long address, long bytes) {
        Range last = lastFound;
        if (last != null && holds(last, address, bytes)) {
            return last;
        }
        int at = floor(address);
        if (at < 0 || !holds(ranges[at], address, bytes)) {
            return null;
        }
        lastFound = ranges[at];
        return ranges[at];
    }

    /** Adds a range; false if it overlaps another one. */
    public boolean add(Range range) {
        int at = floor(range.base());
        if (at >= 0 && ranges[at].base() + ranges[at].sizeBytes() > range.base()) {
            return false;
        }
        int next = at + 1;
        if (next < count && range.base() + range.sizeBytes() > ranges[next].base()) {
            return false;
        }
        if (count == ranges.length) {
            ranges = Arrays.copyOf(ranges, 2 * count);
        }
        System.arraycopy(ranges, next, ranges, next + 1, count - next);
        ranges[next] = range;
        count++;
        return true;
    }

    /** Takes a range out. */
    public void remove(Range range) {
        remove(range.base());
    }

    /** Takes the range out that begins there. */
    public void remove(long base) {
        lastFound = null;
        int at = floor(base);
        if (at < 0 || ranges[at].base() != base) {
            throw new IllegalStateException("not in the map: 0x%x".formatted(base));
        }
        count--;
        System.arraycopy(ranges, at + 1, ranges, at, count - at);
    }

    private static boolean holds(Range range, long address, long bytes) {
        long offset = address - range.base();
        return offset >= 0 && offset <= range.sizeBytes() - bytes;
    }

    /** Index of the last range that begins at or below an address, or -1. */
    private int floor(long address) {
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (ranges[middle].base() <= address) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }
}
