package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.planning.Geometry;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Random words, one in every page of the bus that a slot touches. A word is planted before a Read
 * and is gone after it, unless the page's data never arrived. If only one packet of a page is lost,
 * the word may be overwritten all the same; its place in the page is drawn anew each time, so that
 * no part of a page stays unwatched. The Compare has to find what this misses.
 *
 * <p>In the overwriting mode the whole slot holds random bytes before a Read, and the Compare finds
 * every byte that does not arrive. That costs a store of the host for every word of the data.
 */
public final class Poison {
    private final PeerBuffer buffer;
    private final int pages;
    private final int chunkBytes;
    private final long address;
    private final boolean overwrites;
    private final long[] words;
    private final RandomGenerator random;

    /** Creates the poison of the slots of a buffer, of which it changes single words. */
    public Poison(PeerBuffer buffer, Geometry geometry, RandomGenerator random) {
        this(buffer, geometry, random, false);
    }

    /**
     * Creates the poison of the slots of a buffer.
     *
     * @param overwrites whether whole slots are overwritten
     */
    Poison(PeerBuffer buffer, Geometry geometry, RandomGenerator random, boolean overwrites) {
        this.buffer = buffer;
        this.random = random;
        this.overwrites = overwrites;
        chunkBytes = geometry.chunkBytes();
        address = buffer.busAddress();
        pages = BusPages.most(chunkBytes);
        words = new long[pages * geometry.slots()];
    }

    /** Plants the words and reads them back, so that no late store can destroy data of the Read. */
    public void plant(int slot, int bytes) {
        if (overwrites) {
            buffer.fill((long) slot * chunkBytes, bytes, random.nextInt());
        }
        int used = BusPages.count(addressOf(slot), bytes);
        for (int page = 0; page < used; page++) {
            long word = random.nextLong();
            words[slot * pages + page] = word;
            buffer.store64(offset(slot, bytes, page), word);
        }
        for (int page = 0; page < used; page++) {
            checkPlanted(buffer, offset(slot, bytes, page), words[slot * pages + page]);
        }
    }

    /** Returns whether the word of every page has gone. */
    public boolean isGone(int slot, int bytes) {
        int used = BusPages.count(addressOf(slot), bytes);
        for (int page = 0; page < used; page++) {
            if (buffer.load64(offset(slot, bytes, page)) == words[slot * pages + page]) {
                return false;
            }
        }
        return true;
    }

    /** Returns whether other memory holds the word of every page at the same place. */
    public boolean isIn(PeerBuffer other, int slot, int bytes) {
        int used = BusPages.count(addressOf(slot), bytes);
        for (int page = 0; page < used; page++) {
            if (other.load64(offset(slot, bytes, page)) != words[slot * pages + page]) {
                return false;
            }
        }
        return true;
    }

    /** Returns the number of words in the first slots. */
    public int words(int slots) {
        int all = 0;
        for (int slot = 0; slot < slots; slot++) {
            all += BusPages.count(addressOf(slot), chunkBytes);
        }
        return all;
    }

    private long addressOf(int slot) {
        return address + (long) slot * chunkBytes;
    }

    /** Returns the offset of a page's word. The word itself determines its place in the page. */
    private long offset(int slot, int bytes, int page) {
        long at = addressOf(slot);
        int start = BusPages.start(at, page);
        int room = (BusPages.end(at, bytes, page) - start) / Long.BYTES;
        long place = (words[slot * pages + page] >>> 1) % room;
        return (long) slot * chunkBytes + start + place * Long.BYTES;
    }

    /** Overwrites memory with random bytes, and reads back, so that no store arrives late. */
    static void overwrite(PeerBuffer buffer, long bytes, RandomGenerator random) {
        for (long at = 0; at < bytes; at += Geometry.PAGE_BYTES) {
            long length = Math.min(Geometry.PAGE_BYTES, bytes - at);
            int word = random.nextInt();
            buffer.fill(at, length, word);
            long both = ((long) word << Integer.SIZE) | Integer.toUnsignedLong(word);
            checkPlanted(buffer, at + length - Long.BYTES, both);
        }
    }

    /**
     * Returns the generator of a job's words. It is a stream of its own, because test patterns are
     * made from seeds too, and data that equals a planted word looks like lost data.
     */
    public static SplittableRandom words(long seed) {
        return new SplittableRandom(seed).split();
    }

    /** Stores a word and reads it back. */
    public static void plantWord(PeerBuffer buffer, long offset, long word) {
        buffer.store64(offset, word);
        checkPlanted(buffer, offset, word);
    }

    /** Reads a planted word back. Only then is it sure to come before the next command. */
    public static void checkPlanted(PeerBuffer buffer, long offset, long word) {
        long back = buffer.load64(offset);
        if (back != word) {
            throw PeerlaneException.io(
                    "buffer-not-memory",
                    "the memory of %s at 0x%x reads back 0x%016x after 0x%016x was stored"
                            .formatted(buffer.owner(), buffer.busAddress() + offset, back, word),
                    "Its CMB does not hold what is written to it: use another buffer");
        }
    }
}
