package dev.peerlane.copy.engine;

import dev.peerlane.copy.planning.Geometry;

/**
 * The pieces of a slot, each of which lies in one page of the bus. A device moves the data of a
 * command in such pages (NVMe Base 2.0, 4.1.1: a PRP entry is a page, and the first one may begin
 * anywhere in it), so a loss hits one piece or a part of it. If the slot's length is not a multiple
 * of a page, or its buffer does not begin at a page, the slot begins and ends with a shorter piece.
 * Those count like the others.
 *
 * <p>Slots are not moved to page boundaries instead: a small CMB could not spare the slots that
 * this costs, and its free memory may not begin at a page.
 *
 * <p>Addresses and lengths are multiples of 8, so that every piece holds a word.
 */
final class BusPages {
    private static final int PAGE = Geometry.PAGE_BYTES;

    private BusPages() {}

    /** Returns the largest number of pieces that a slot of a given length can have. */
    static int most(int bytes) {
        return (bytes + PAGE - 2) / PAGE + 1;
    }

    /** Returns the number of pieces of a slot. */
    static int count(long address, int bytes) {
        return (inPage(address) + bytes + PAGE - 1) / PAGE;
    }

    /** Returns the offset in the slot at which a piece begins. */
    static int start(long address, int piece) {
        return piece == 0 ? 0 : piece * PAGE - inPage(address);
    }

    /** Returns the offset in the slot at which a piece ends. */
    static int end(long address, int bytes, int piece) {
        return Math.min(bytes, (piece + 1) * PAGE - inPage(address));
    }

    private static int inPage(long address) {
        return (int) address & (PAGE - 1);
    }
}
