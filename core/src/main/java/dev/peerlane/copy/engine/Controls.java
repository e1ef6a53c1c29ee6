package dev.peerlane.copy.engine;

import dev.peerlane.block.PeerBuffer;
import java.util.random.RandomGenerator;

/**
 * Control Compares: they find a device that says "equal" whatever is on its medium. After a slot
 * has been found equal, one bit of it is turned over, and it is Compared with the same blocks once
 * more. Both answers can't be "equal" and true: no other proof is as sound, for random data could
 * differ from the blocks in places that the device does look at.
 *
 * <p>Bits are drawn through the whole range, one from each of {@value #MOST} parts of the same
 * length, or from each block of a short one. A device that always lies falls at the first. One that
 * lies about a part p of the range is found with 1 - (1 - p)^n or more. No more than {@value
 * #MOST}, because each Compare Failure is an entry in the device's error log, which keeps 64 of
 * them or so.
 */
final class Controls {
    static final int MOST = 32;

    private final RandomGenerator random;
    private final long[] places;
    private int made;

    private Lane lane;
    private PeerBuffer buffer;
    private long base;
    private int[] nextOf;
    private long[] wordOf;
    private long[] turnedOf;
    private boolean[] turned;
    private boolean[] equal;

    /**
     * Draws the places.
     *
     * @param lane what is run over first
     * @param bytes length of the whole range
     * @param unitBytes the length of which no more than one is drawn
     */
    Controls(Lane lane, long bytes, int unitBytes, RandomGenerator random) {
        this.random = random;
        this.lane = lane;
        int count = (int) Math.max(1, Math.min(MOST, bytes / unitBytes));
        places = new long[count];
        for (int i = 0; i < count; i++) {
            long from = edge(bytes, i, count);
            places[i] = from + random.nextLong(edge(bytes, i + 1, count) - from);
        }
        long[] nothing = {};
        buffer = lane.buffer();
        nextOf = new int[0];
        wordOf = nothing;
        turnedOf = nothing;
        turned = new boolean[0];
        equal = turned;
        over(lane, 0);
    }

    private static long edge(long bytes, int part, int parts) {
        return bytes / parts * part + bytes % parts * part / parts;
    }

    /**
     * Goes on with another piece of the range.
     *
     * @param piece what is run over
     * @param from where in the range it begins, in bytes
     */
    void over(Lane piece, long from) {
        lane = piece;
        buffer = piece.buffer();
        base = from;
        int slots = piece.geometry().slots();
        nextOf = new int[slots];
        wordOf = new long[slots];
        turnedOf = new long[slots];
        turned = new boolean[slots];
        equal = new boolean[slots];
    }

    /** Returns how many were made, each of which the device answered with a difference. */
    int made() {
        return made;
    }

    /** A slot is about to be Read into for a chunk. */
    void reading(int slot, long chunk) {
        long start = start(chunk);
        int next = 0;
        while (next < places.length && places[next] < start) {
            next++;
        }
        nextOf[slot] = next;
        turned[slot] = false;
    }

    /** Returns whether a slot that was found equal is to be controlled, or once more. */
    boolean wants(int slot, long chunk) {
        int next = nextOf[slot];
        return next < places.length && places[next] < start(chunk) + lane.chunkLength(chunk);
    }

    /** Returns whether a bit of a slot is turned over, so that a Compare has to find it. */
    boolean isTurned(int slot) {
        return turned[slot];
    }

    /** Turns a bit over and reads it back: the Compare comes after it. */
    void turn(int slot, long chunk) {
        long at = offset(slot, chunk);
        wordOf[slot] = buffer.load64(at);
        turnedOf[slot] = wordOf[slot] ^ (1L << random.nextInt(Long.SIZE));
        turned[slot] = true;
        equal[slot] = false;
        Poison.plantWord(buffer, at, turnedOf[slot]);
    }

    /** The device has found no difference though a bit is turned over. */
    void notFound(int slot) {
        equal[slot] = true;
    }

    /** Returns whether the device has found the bit that is turned over. */
    boolean isFound(int slot) {
        return !equal[slot];
    }

    /** Returns whether the bit is still turned over: data that comes twice may have mended it. */
    boolean isStillTurned(int slot, long chunk) {
        return buffer.load64(offset(slot, chunk)) == turnedOf[slot];
    }

    /** The device has found the bit: it is turned back. */
    void found(int slot, long chunk) {
        Poison.plantWord(buffer, offset(slot, chunk), wordOf[slot]);
        turned[slot] = false;
        nextOf[slot]++;
        made++;
    }

    /** Returns the byte of its chunk whose word was turned last. */
    long placeInChunk(int slot, long chunk) {
        return (places[nextOf[slot]] - start(chunk)) & -Long.BYTES;
    }

    private long offset(int slot, long chunk) {
        return (long) slot * lane.geometry().chunkBytes() + placeInChunk(slot, chunk);
    }

    private long start(long chunk) {
        return base + lane.place(chunk) * lane.geometry().chunkBytes();
    }
}
