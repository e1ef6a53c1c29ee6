package dev.peerlane.emulator.controller;

import java.util.Arrays;
import java.util.SplittableRandom;

/** The pieces of memory that the data of one command is in, and the order they are moved in. */
final class DataPages {
    private long[] addresses = new long[40];
    private long[] offsets = new long[40];
    private int[] lengths = new int[40];
    private int[] order = new int[40];
    private int count;
    private int moved;
    private long added;

    /** Starts over. */
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

    /** Returns whether bytes at this address would go on where the last piece ends. */
    boolean goesOnAt(long address) {
        return count > 0 && address == addresses[count - 1] + lengths[count - 1];
    }

    /** Adds the next bytes of the data to the last piece. */
    void extend(int bytes) {
        lengths[count - 1] += bytes;
        added += bytes;
    }

    /** Returns how many pieces there are. */
    int count() {
        return count;
    }

    /** Returns how many bytes of the data have their place. */
    long added() {
        return added;
    }

    /** Returns a piece's bus address. */
    long address(int piece) {
        return addresses[piece];
    }

    /** Returns where in the data a piece begins. */
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

    /** Takes the first of the pieces that were not moved; not to be mixed with the other one. */
    int next() {
        return moved++;
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
