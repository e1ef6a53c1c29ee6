package dev.peerlane.copy.planning;

import dev.peerlane.Bits;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.block.PortLimits;
import dev.peerlane.copy.CopyRequest;
import org.jspecify.annotations.Nullable;

/**
 * How a piece of memory is cut into slots and sentinels: slots from its start, sentinels behind
 * them.
 *
 * @param chunkBytes bytes of one slot, and of all chunks but the last
 * @param slots how many slots
 * @param sentinels how many sentinel blocks; 0 where no fence is needed
 * @param sentinelBytes length of a sentinel: one block of either side
 */
public record Geometry(int chunkBytes, int slots, int sentinels, int sentinelBytes) {
    /** The page of the bus, on which buffers begin. */
    public static final int PAGE_BYTES = Bits.PAGE_BYTES;

    /** The longest slot that is chosen without being asked for. */
    public static final int MAX_CHUNK_BYTES = 256 * 1024;

    /** The most slots that are chosen without being asked for. */
    public static final int MAX_SLOTS = 64;

    /** With fewer slots than this a third of them can't keep either side at eight commands. */
    private static final int ENOUGH_SLOTS = 24;

    /** With so few slots nothing queues, and the latency is what counts. */
    private static final int FEW_SLOTS = 16;

    private static final int FEW_READS = 4;

    /** 10 GB/s for 100 µs. */
    private static final int READ_BYTES = 1 << 20;

    /** Two, so that one batch can arrive while another is being fenced. */
    private static final int SENTINELS = 2;

    /** Returns the bytes that this takes. */
    public long totalBytes() {
        return (long) chunkBytes * slots + (long) sentinels * sentinelBytes;
    }

    /**
     * Returns how many Reads are in flight at most.
     *
     * <p>What is Read from the source's queue comes in order, and so does the fence's own Read: it
     * waits for all data Reads before it. Were all slots Read at once, no Write could begin before
     * the last of them, and the two sides would take turns. A quarter for the Reads leaves the rest
     * to those that wait for a sentinel, for its batch, and for their Write; and more bytes than
     * keep a fast device busy only make the start longer.
     */
    public int readDepth() {
        if (slots < FEW_SLOTS) {
            return (slots + 1) / 2;
        }
        return Math.min((slots + 3) / 4, Math.max(FEW_READS, READ_BYTES / chunkBytes));
    }

    /** Returns the same memory cut otherwise. */
    public Geometry cut(int bytes, int count) {
        return new Geometry(bytes, count, sentinels, sentinelBytes);
    }

    /** Returns the same with no more slots than some bytes have chunks. */
    Geometry forBytes(long bytes) {
        long chunks = (bytes + chunkBytes - 1) / chunkBytes;
        int needed = (int) Math.min(slots, Math.max(1, chunks));
        return new Geometry(chunkBytes, needed, sentinels, sentinelBytes);
    }

    /** Returns where the first sentinel lies. */
    public long sentinelOffset() {
        return (long) chunkBytes * slots;
    }

    /** Returns the smallest memory that holds one slot and, for a fence, one sentinel. */
    static long minimumBytes(int unitBytes, boolean fenced) {
        return (long) unitBytes * (fenced ? 2 : 1);
    }

    /**
     * Fits slots into memory: chunks as long as both sides allow, but shorter rather than so few
     * that one side would wait for the other.
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

    /** Cuts memory for a request; null if it is too small. */
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

    /** Returns the larger block size: both are powers of two, so it is a multiple of the other. */
    public static int unitBytes(CopyRequest request) {
        return Math.max(
                request.source().port().limits().blockBytes(),
                request.target().port().limits().blockBytes());
    }

    /** Returns the alignment of a buffer: less than a page only where there is no page. */
    public static long alignOf(PeerMemory memory) {
        boolean page = memory.largestFreeBytes(PAGE_BYTES) >= PAGE_BYTES;
        return page ? PAGE_BYTES : 8;
    }

    /** Returns the longest buffer that can be taken from a memory. */
    public static long freeBytes(PeerMemory memory) {
        return memory.largestFreeBytes(alignOf(memory));
    }

    private static long slotsThatFit(long freeBytes, int chunk, int sentinels, int unitBytes) {
        return Math.max(0, (freeBytes - (long) sentinels * unitBytes) / chunk);
    }
}
