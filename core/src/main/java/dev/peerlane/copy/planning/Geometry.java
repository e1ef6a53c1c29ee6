package dev.peerlane.copy.planning;

import dev.peerlane.Bits;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.block.PortLimits;
import dev.peerlane.copy.CopyRequest;
import org.jspecify.annotations.Nullable;

/**
 * How a piece of memory is cut: slots from its start, followed by sentinels.
 *
 * @param chunkBytes bytes of one slot, and of every chunk but the last
 * @param slots number of slots
 * @param sentinels number of sentinel blocks; 0 if no fence is needed
 * @param sentinelBytes bytes of a sentinel: one block of either side
 */
public record Geometry(int chunkBytes, int slots, int sentinels, int sentinelBytes) {
    /** The page size of the bus, to which buffers are aligned. */
    public static final int PAGE_BYTES = Bits.PAGE_BYTES;

    /** The longest slot that is chosen automatically. */
    public static final int MAX_CHUNK_BYTES = 256 * 1024;

    /** The largest number of slots that is chosen automatically. */
    public static final int MAX_SLOTS = 64;

    /** With fewer slots, a third of them can't keep eight commands in flight on either side. */
    private static final int ENOUGH_SLOTS = 24;

    /** With fewer slots than this no command queues, and latency decides the rate. */
    private static final int FEW_SLOTS = 16;

    private static final int FEW_READS = 4;

    /** The bytes that 10 GB/s moves in 100 µs. */
    private static final int READ_BYTES = 1 << 20;

    /** Two, so that one batch can collect slots while another waits for its sentinel. */
    private static final int SENTINELS = 2;

    /** Returns the bytes that slots and sentinels take in all. */
    public long totalBytes() {
        return (long) chunkBytes * slots + (long) sentinels * sentinelBytes;
    }

    /**
     * Returns the maximum number of Reads in flight.
     *
     * <p>The source serves its queue in order, so the fence's own Read waits for all data Reads
     * before it. If all slots were Read at once, no Write could begin before the last Read, and the
     * two sides would take turns. A quarter of the slots for Reads leaves the rest to slots that
     * wait for a sentinel, for their batch, or for their Write. More bytes than keep a fast device
     * busy would only lengthen the start.
     */
    public int readDepth() {
        if (slots < FEW_SLOTS) {
            return (slots + 1) / 2;
        }
        return Math.min((slots + 3) / 4, Math.max(FEW_READS, READ_BYTES / chunkBytes));
    }

    /** Returns this memory cut into other slots. */
    public Geometry cut(int bytes, int count) {
        return new Geometry(bytes, count, sentinels, sentinelBytes);
    }

    /** Returns this geometry without the slots that a copy of the given length can't use. */
    Geometry forBytes(long bytes) {
        long chunks = (bytes + chunkBytes - 1) / chunkBytes;
        int needed = (int) Math.min(slots, Math.max(1, chunks));
        return new Geometry(chunkBytes, needed, sentinels, sentinelBytes);
    }

    /** Returns the offset of the first sentinel. */
    public long sentinelOffset() {
        return (long) chunkBytes * slots;
    }

    /**
     * Returns the length of the smallest memory that holds one slot and, with a fence, one
     * sentinel.
     */
    static long minimumBytes(int unitBytes, boolean fenced) {
        return (long) unitBytes * (fenced ? 2 : 1);
    }

    /**
     * Fits slots into memory. Chunks are as long as both sides allow, but shorter if there would be
     * so few of them that one side would wait for the other.
     *
     * @param freeBytes length of the memory
     * @param unitBytes the larger of the two block sizes
     * @param maxTransferBytes the smaller of the two sides' limits
     * @param fenced whether sentinels are needed
     * @param wantedChunkBytes the user's choice, or 0
     * @param wantedSlots the user's choice, or 0
     * @return null if not even one slot fits
     */
    public static @Nullable Geometry fit(
            long freeBytes,
            int unitBytes,
            int maxTransferBytes,
            boolean fenced,
            int wantedChunkBytes,
            int wantedSlots) {
        int limit = Math.min(maxTransferBytes, MAX_CHUNK_BYTES);
        int chunk = wantedChunkBytes > 0 ? wantedChunkBytes : Integer.highestOneBit(limit);
        if (chunk < unitBytes) {
            return null;
        }
        int enough = wantedSlots > 0 ? wantedSlots : ENOUGH_SLOTS;
        int sentinels = fenced ? SENTINELS : 0;
        int floor = wantedChunkBytes > 0 ? chunk : Math.max(unitBytes, PAGE_BYTES);
        while (slotsThatFit(freeBytes, chunk, sentinels, unitBytes) < enough
                && chunk / 2 >= floor) {
            chunk /= 2;
        }
        if (fenced && slotsThatFit(freeBytes, chunk, sentinels, unitBytes) < 1) {
            sentinels = 1;
        }
        int smallest = wantedChunkBytes > 0 ? chunk : unitBytes;
        while (slotsThatFit(freeBytes, chunk, sentinels, unitBytes) < 1 && chunk / 2 >= smallest) {
            chunk /= 2;
        }
        long fit = slotsThatFit(freeBytes, chunk, sentinels, unitBytes);
        if (fit < 1) {
            return null;
        }
        int slots = (int) Math.min(fit, wantedSlots > 0 ? wantedSlots : MAX_SLOTS);
        return new Geometry(chunk, slots, sentinels, sentinels == 0 ? 0 : unitBytes);
    }

    /** Cuts memory for a request; returns null if the memory is too small. */
    public static @Nullable Geometry of(CopyRequest request, long freeBytes, boolean fenced) {
        PortLimits one = request.source().port().limits();
        PortLimits other = request.target().port().limits();
        Geometry geometry =
                fit(
                        freeBytes,
                        unitBytes(request),
                        Math.min(one.maxTransferBytes(), other.maxTransferBytes()),
                        fenced,
                        request.options().chunkBytes(),
                        request.options().slots());
        return geometry == null ? null : geometry.forBytes(request.bytes());
    }

    /** Returns the larger block size. Both are powers of two, so it is a multiple of the other. */
    public static int unitBytes(CopyRequest request) {
        return Math.max(
                request.source().port().limits().blockBytes(),
                request.target().port().limits().blockBytes());
    }

    /** Returns the alignment of a buffer: a page, or less if the memory is smaller than a page. */
    public static long alignOf(PeerMemory memory) {
        boolean page = memory.largestFreeBytes(PAGE_BYTES) >= PAGE_BYTES;
        return page ? PAGE_BYTES : 8;
    }

    /** Returns the length of the longest buffer that can be allocated from a memory. */
    public static long freeBytes(PeerMemory memory) {
        return memory.largestFreeBytes(alignOf(memory));
    }

    private static long slotsThatFit(long freeBytes, int chunk, int sentinels, int unitBytes) {
        return Math.max(0, (freeBytes - (long) sentinels * unitBytes) / chunk);
    }
}
