package dev.peerlane.nvme;

import dev.peerlane.Bits;
import dev.peerlane.mem.Dma;

/**
 * Physical region pages (NVMe Base 2.0, 4.1.1) of memory that is contiguous on the bus: a first
 * entry that may have an offset, then whole pages in a list of up to one page.
 */
final class PrpList {
    static final int PAGE = Bits.PAGE_BYTES;
    private static final int PAGE_SHIFT = 12;
    private static final int ENTRY_BYTES = 8;

    /** The maximum number of entries in a list page, the pages after the first. */
    static final int MAX_ENTRIES = PAGE / ENTRY_BYTES;

    private PrpList() {}

    /** Returns how many pages a transfer touches after the first. */
    static int pagesAfterFirst(long busAddress, int bytes) {
        int offset = (int) busAddress & (PAGE - 1);
        return (offset + bytes - 1) >> PAGE_SHIFT;
    }

    /**
     * Returns the length of a list for this many pages: a power of two, so that no list crosses a
     * page.
     */
    static int listBytes(int pagesAfterFirst) {
        return pagesAfterFirst <= 1
                ? 0
                : Math.max(16, Integer.highestOneBit(pagesAfterFirst * ENTRY_BYTES - 1) << 1);
    }

    /** Writes the entries of the pages after the first, at the list's address in this process. */
    static void write(long listAddress, long busAddress, int pagesAfterFirst) {
        long page = (busAddress & -PAGE) + PAGE;
        long base = listAddress;
        for (int i = 0; i < pagesAfterFirst; i++) {
            Dma.storeLong(base & -16, base & 8, page);
            base += ENTRY_BYTES;
            page += PAGE;
        }
    }
}
