package dev.peerlane.hal.parts;

import java.util.BitSet;

/**
 * Gives out runs of pages of a piece of memory, each from the lowest place that is long enough.
 * Keeps the books alone and touches no memory. Used by the thread that owns the memory.
 */
public final class PageRuns {
    private final int pageBytes;
    private final int pages;
    private final BitSet used = new BitSet();

    /**
     * Creates the books of a piece of memory with every page free.
     *
     * @param bytes its length; what is no whole page at its end is never given out
     * @param pageBytes the length of a page
     */
    public PageRuns(long bytes, int pageBytes) {
        this.pageBytes = pageBytes;
        this.pages = Math.toIntExact(bytes / pageBytes);
    }

    /**
     * Takes pages in a row.
     *
     * @param bytes how much; whole pages, at least one
     * @return the offset of the first byte, or -1 if no place is long enough
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

    /** Gives pages back that were taken together. */
    public void give(long offset, long bytes) {
        used.clear((int) (offset / pageBytes), (int) ((offset + bytes) / pageBytes));
    }

    /** Returns whether no page is taken. */
    public boolean isEmpty() {
        return used.isEmpty();
    }
}
