package dev.peerlane.vfiouser;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import java.util.Map;
import java.util.TreeMap;

/** The places of memory on the bus. What was given back is used again as late as possible. */
final class BusAddresses {
    /** Where memory begins on the bus. */
    static final long FIRST = 0x1_0000_0000L;

    /** Where memory ends on the bus. */
    static final long LIMIT = 0x40_0000_0000L;

    private final TreeMap<Long, Long> taken = new TreeMap<>();
    private long cursor = FIRST;

    /** Returns the length of a buffer in whole pages. */
    static long pages(long sizeBytes) {
        if (sizeBytes <= 0 || sizeBytes > LIMIT) {
            throw new IllegalArgumentException("a buffer of " + sizeBytes + " bytes");
        }
        return Bits.roundUp(sizeBytes, Protocol.PAGE_BYTES);
    }

    /**
     * Takes addresses that nothing has.
     *
     * @param bytes whole pages
     * @throws PeerlaneException if no run of them is long enough
     */
    long take(long bytes) {
        long at = free(cursor, bytes);
        if (at < 0) {
            at = free(FIRST, bytes);
        }
        if (at < 0) {
            throw PeerlaneException.machine(
                    "no-dma-memory",
                    bytes + " bytes of memory for DMA can't be allocated",
                    "Use smaller buffers");
        }
        taken.put(at, at + bytes);
        cursor = at + bytes;
        return at;
    }

    /** Returns the first free run from an address on, which is in none that is taken, or -1. */
    private long free(long from, long bytes) {
        long at = from;
        for (Map.Entry<Long, Long> range : taken.tailMap(from).entrySet()) {
            if (range.getKey() - at >= bytes) {
                break;
            }
            at = range.getValue();
        }
        return at <= LIMIT - bytes ? at : -1;
    }

    /** Gives back what begins at an address. */
    void give(long busAddress) {
        taken.remove(busAddress);
    }
}
