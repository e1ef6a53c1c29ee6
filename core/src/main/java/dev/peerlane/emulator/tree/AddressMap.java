package dev.peerlane.emulator.tree;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The map from bus addresses to memory. A lookup is a binary search and allocates nothing. */
public final class AddressMap {
    /**
     * A range of bus addresses.
     *
     * @param base the first address
     * @param translated the address into which the IOMMU translates the first one
     * @param sizeBytes length of the range
     * @param memory the memory behind it
     * @param memoryOffset the offset in that memory at which the range begins
     * @param owner the function whose BAR this is, or null for host memory
     * @param bar the owner's BAR
     */
    public record Range(
            long base,
            long translated,
            long sizeBytes,
            MemorySegment memory,
            long memoryOffset,
            @Nullable EmulatedFunction owner,
            EmulatedFunction.@Nullable BarSpace bar) {
        /** Creates a range whose addresses the IOMMU does not change. */
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

    /** Adds a range; returns false if it overlaps another one. */
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

    /** Removes a range. */
    public void remove(Range range) {
        remove(range.base());
    }

    /** Removes the range that begins at an address. */
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

    /** Returns the index of the last range that begins at or below an address, or -1. */
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
