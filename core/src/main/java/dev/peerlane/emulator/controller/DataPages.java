package dev.peerlane.emulator.controller;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The pieces of memory that hold the data of one command, and the order in which they are moved.
 */
final class DataPages {
    private long[] addresses = new long[40];
    private long[] offsets = new long[40];
    private int[] lengths = new int[40];
    private int[] order = new int[40];
    private int count;
    private int moved;
    private long added;

    /** Discards all pieces. */
    void start() {
        count = 0;
        moved = 0;
        added = 0;
    }

    /** Adds the piece that holds the next bytes of the data. */
    void add(long address, int bytes) {
        if (count == addresses.length) {
            addresses = Arrays.copyOf(addresses, 2 * count);
            offsets = Arrays.copyOf(offsets, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
            order = Arrays.copyOf(order, 2 * count);
        }
        order[count] = count;
        offsets[count] = added;
        lengths[count] = bytes;
        addresses[count++] = address;
        added += bytes;
    }

    /** Returns whether an address continues where the last piece ends. */
    boolean goesOnAt(long address) {
        return count > 0 && address == addresses[count - 1] + lengths[count - 1];
    }

    /** Appends the next bytes of the data to the last piece. */
    void extend(int bytes) {
        lengths[count - 1] += bytes;
        added += bytes;
    }

    /** Returns the number of pieces. */
    int count() {
        return count;
    }

    /** Returns how many bytes of the data have a place. */
    long added() {
        return added;
    }

    /** Returns a piece's bus address. */
    long address(int piece) {
        return addresses[piece];
    }

    /** Returns the offset in the data at which a piece begins. */
    long dataOffset(int piece) {
        return offsets[piece];
    }

    /** Returns a piece's length. */
    int bytes(int piece) {
        return lengths[piece];
    }

    boolean isDone() {
        return moved == count;
    }

    /** Takes the first piece that was not moved. Do not mix with the random {@code next}. */
    int next() {
        return moved++;
    }

    /** Takes a piece that was not moved, at random. */
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
