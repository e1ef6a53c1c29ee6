package dev.peerlane.vfiouser;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import java.util.Map;
import java.util.TreeMap;

/** Allocates bus addresses for memory. Freed addresses are reused as late as possible. */
final class BusAddresses {
    /** First bus address of memory. */
    static final long FIRST = 0x1_0000_0000L;

    /** End of the bus addresses of memory, exclusive. */
    static final long LIMIT = 0x40_0000_0000L;

    private final TreeMap<Long, Long> taken = new TreeMap<>();
    private long cursor = FIRST;

    /** Returns a buffer's size in bytes, rounded up to whole pages. */
    static long pages(long sizeBytes) {
        if (sizeBytes <= 0 || sizeBytes > LIMIT) {
            throw new IllegalArgumentException("a buffer of " + sizeBytes + " bytes");
        }
        return Bits.roundUp(sizeBytes, Protocol.PAGE_BYTES);
    }

    /**
     * Allocates a free run of addresses.
     *
     * @param bytes whole pages
     * @throws PeerlaneException if no free run is long enough
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

    /**
     * Returns the start of the first free run at or above an address, which must itself be free, or
     * -1.
     */
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

    /** Frees the run that starts at an address. */
    void give(long busAddress) {
        taken.remove(busAddress);
    }
}
