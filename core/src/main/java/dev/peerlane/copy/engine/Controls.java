package dev.peerlane.copy.engine;

import dev.peerlane.block.PeerBuffer;
import java.util.random.RandomGenerator;

/**
 * Control Compares, which find a device that says "equal" whatever is on its medium. After a slot
 * has been found equal, one of its bits is flipped, and the slot is Compared with the same blocks
 * once more. The two answers can't both be a true "equal". Random data would be a weaker proof: it
 * could differ from the blocks in places that the device does check.
 *
 * <p>The bits are drawn over the whole range, one from each of {@value #MOST} parts of equal
 * length, or from each block of a short range. A device that always lies is found by the first
 * control. One that lies about a part p of the range is found with probability 1 - (1 - p)^n or
 * more. There are no more than {@value #MOST}, because each Compare Failure is an entry in the
 * device's error log, which keeps about 64 of them.
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
     * Draws the places of the bits.
     *
     * @param lane the first piece of the range
     * @param bytes length of the whole range
     * @param unitBytes at most one bit is drawn in each unit of this length
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
     * Continues with another piece of the range.
     *
     * @param piece the slots and ranges of that piece
     * @param from offset of the piece in the range, in bytes
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

    /** Returns the number of control Compares that the device answered with a difference. */
    int made() {
        return made;
    }

    /** Notes that a chunk is about to be Read into a slot. */
    void reading(int slot, long chunk) {
        long start = start(chunk);
        int next = 0;
        while (next < places.length && places[next] < start) {
            next++;
        }
        nextOf[slot] = next;
        turned[slot] = false;
    }

    /** Returns whether a slot that was found equal needs a control Compare, or another one. */
    boolean wants(int slot, long chunk) {
        int next = nextOf[slot];
        return next < places.length && places[next] < start(chunk) + lane.chunkLength(chunk);
    }

    /** Returns whether a bit of the slot is flipped, so that a Compare must find it. */
    boolean isTurned(int slot) {
        return turned[slot];
    }

    /** Flips a bit and reads it back, so that the Compare comes after it. */
    void turn(int slot, long chunk) {
        long at = offset(slot, chunk);
        wordOf[slot] = buffer.load64(at);
        turnedOf[slot] = wordOf[slot] ^ (1L << random.nextInt(Long.SIZE));
        turned[slot] = true;
        equal[slot] = false;
        Poison.plantWord(buffer, at, turnedOf[slot]);
    }

    /** Notes that the device found no difference although a bit is flipped. */
    void notFound(int slot) {
        equal[slot] = true;
    }

    /** Returns whether the device has found the flipped bit. */
    boolean isFound(int slot) {
        return !equal[slot];
    }

    /** Returns whether the bit is still flipped. Data that arrives twice may have restored it. */
    boolean isStillTurned(int slot, long chunk) {
        return buffer.load64(offset(slot, chunk)) == turnedOf[slot];
    }

    /** Notes that the device has found the bit, and flips it back. */
    void found(int slot, long chunk) {
        Poison.plantWord(buffer, offset(slot, chunk), wordOf[slot]);
        turned[slot] = false;
        nextOf[slot]++;
        made++;
    }

    /** Returns the offset in the chunk of the word in which a bit was flipped last. */
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
