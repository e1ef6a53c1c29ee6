package dev.peerlane.emulator;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The pieces of memory that the data of one command is in, one for each page, and the order in
 * which they are moved. Only the first piece may begin inside a page.
 */
final class DataPages {
    private long[] addresses = new long[40];
    private int[] order = new int[40];
    private int count;
    private int moved;
    private int firstBytes;
    private int pageBytes;
    private long totalBytes;

    /**
     * Starts over.
     *
     * @param total how many bytes of data there are, 1 or more
     * @param first how many of them are in the first page
     * @param page size of a page
     */
    void start(long total, int first, int page) {
        totalBytes = total;
        firstBytes = first;
        pageBytes = page;
        count = 0;
        moved = 0;
    }

    void add(long address) {
        if (count == addresses.length) {
            addresses = Arrays.copyOf(addresses, 2 * count);
            order = Arrays.copyOf(order, 2 * count);
        }
        order[count] = count;
        addresses[count++] = address;
    }

    /** Returns how many pieces there are. */
    int count() {
        return count;
    }

    /** Returns how many pieces the data needs. */
    int needed() {
        long rest = totalBytes - firstBytes;
        return 1 + Math.toIntExact((rest + pageBytes - 1) / pageBytes);
    }

    /** Returns a piece's bus address. */
    long address(int piece) {
        return addresses[piece];
    }

    /** Returns where in the data a piece begins. */
    long dataOffset(int piece) {
        return piece == 0 ? 0 : firstBytes + (long) (piece - 1) * pageBytes;
    }

    /** Returns a piece's length. */
    long bytes(int piece) {
        return piece == 0 ? firstBytes : Math.min(pageBytes, totalBytes - dataOffset(piece));
    }

    boolean isDone() {
        return moved == count;
    }

    /** Takes one of the pieces that were not moved, at random. */
    int next(SplittableRandom random) {
        int last = count - moved - 1;
        int pick = last == 0 ? 0 : random.nextInt(last + 1);
        int piece = order[pick];
        order[pick] = order[last];
        order[last] = piece;
        moved++;
        return piece;
    }
}
