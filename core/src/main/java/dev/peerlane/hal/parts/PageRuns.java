package dev.peerlane.hal.parts;

import java.util.BitSet;

/**
 * Allocates runs of pages from a range of memory, first fit. Keeps track of pages only and touches
 * no memory. Used by the thread that owns the memory.
 */
public final class PageRuns {
    private final int pageBytes;
    private final int pages;
    private final BitSet used = new BitSet();

    /**
     * Creates an allocator with every page free.
     *
     * @param bytes length of the memory; a partial page at its end is never allocated
     * @param pageBytes length of a page
     */
    public PageRuns(long bytes, int pageBytes) {
        this.pageBytes = pageBytes;
        this.pages = Math.toIntExact(bytes / pageBytes);
    }

    /**
     * Allocates a run of adjacent pages.
     *
     * @param bytes length of the run; whole pages, at least one
     * @return the offset of the first byte, or -1 if no free run is long enough
     */
    public long take(long bytes) {
        int count = (int) Math.min(bytes / pageBytes, Integer.MAX_VALUE);
        int at = used.nextClearBit(0);
        while (count <= pages - at) {
            int next = used.nextSetBit(at);
            if (next < 0 || next - at >= count) {
                used.set(at, at + count);
                return (long) at * pageBytes;
            }
            at = used.nextClearBit(next);
        }
        return -1;
    }

    /** Frees a run that {@link #take} returned. */
    public void give(long offset, long bytes) {
        used.clear((int) (offset / pageBytes), (int) ((offset + bytes) / pageBytes));
    }

    /** Returns whether every page is free. */
    public boolean isEmpty() {
        return used.isEmpty();
    }
}
