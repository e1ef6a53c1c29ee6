package dev.peerlane.copy.engine;

import dev.peerlane.copy.planning.Geometry;

/**
 * The pieces of a slot, each of which lies in one page of the bus. A device moves the data of a
 * command by such pages (NVMe Base 2.0, 4.1.1: a PRP entry is a page, and the first one may begin
 * anywhere in it), so that what gets lost is such a piece or a part of one. A slot whose length is
 * no multiple of a page, or whose buffer does not begin with one, has a shorter piece at its start
 * and at its end: those count like the others.
 *
 * <p>Slots are not moved to the starts of pages instead: that would cost a small CMB the slots that
 * it can't spare, and what is free of one may not begin with a page.
 *
 * <p>Addresses and lengths are multiples of 8, so that every piece holds a word.
 */
final class BusPages {
    private static final int PAGE = Geometry.PAGE_BYTES;

    private BusPages() {}

    /** Returns how many pieces a slot of some length has at most, wherever it begins. */
    static int most(int bytes) {
        return (bytes + PAGE - 2) / PAGE + 1;
    }

    /** Returns how many pieces there are. */
    static int count(long address, int bytes) {
        return (inPage(address) + bytes + PAGE - 1) / PAGE;
    }

    /** Returns where in the slot a piece begins. */
    static int start(long address, int piece) {
        return piece == 0 ? 0 : piece * PAGE - inPage(address);
    }

    /** Returns where in the slot a piece ends. */
    static int end(long address, int bytes, int piece) {
        return Math.min(bytes, (piece + 1) * PAGE - inPage(address));
    }

    private static int inPage(long address) {
        return (int) address & (PAGE - 1);
    }
}
