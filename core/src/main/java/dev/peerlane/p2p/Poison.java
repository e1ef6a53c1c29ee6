package dev.peerlane.p2p;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import java.util.random.RandomGenerator;

/**
 * A random word in every page of a slot, planted before a Read and gone after it, unless the page's
 * data never arrived. Its granularity is a page: a single lost packet inside a page that others
 * reach is left to the Compare.
 */
final class Poison {
    private final PeerBuffer buffer;
    private final int pages;
    private final int chunkBytes;
    private final long[] words;
    private final RandomGenerator random;

    Poison(PeerBuffer buffer, Geometry geometry, RandomGenerator random) {
        this.buffer = buffer;
        this.random = random;
        chunkBytes = geometry.chunkBytes();
        pages = pagesOf(chunkBytes);
        words = new long[pages * geometry.slots()];
    }

    /** Plants and reads back, so that no late store can destroy data that a Read brings. */
    void plant(int slot, int bytes) {
        int used = pagesOf(bytes);
        for (int page = 0; page < used; page++) {
            long word = random.nextLong();
            words[slot * pages + page] = word;
            buffer.store64(offset(slot, page), word);
        }
        for (int page = 0; page < used; page++) {
            checkPlanted(buffer, offset(slot, page), words[slot * pages + page]);
        }
    }

    /** Returns whether the word of every page has gone. */
    boolean isGone(int slot, int bytes) {
        int used = pagesOf(bytes);
        for (int page = 0; page < used; page++) {
            if (buffer.load64(offset(slot, page)) == words[slot * pages + page]) {
                return false;
            }
        }
        return true;
    }

    /** Returns whether the word of every page is at the same place of other memory. */
    boolean isIn(PeerBuffer other, int slot, int bytes) {
        int used = pagesOf(bytes);
        for (int page = 0; page < used; page++) {
            if (other.load64(offset(slot, page)) != words[slot * pages + page]) {
                return false;
            }
        }
        return true;
    }

    /** Returns how many words a whole slot has. */
    int pagesOfSlot() {
        return pages;
    }

    private long offset(int slot, int page) {
        return (long) slot * chunkBytes + (long) page * Geometry.PAGE_BYTES;
    }

    private static int pagesOf(int bytes) {
        return (bytes + Geometry.PAGE_BYTES - 1) / Geometry.PAGE_BYTES;
    }

    /** Stores a word and reads it back. */
    static void plantWord(PeerBuffer buffer, long offset, long word) {
        buffer.store64(offset, word);
        checkPlanted(buffer, offset, word);
    }

    /** Reads a planted word back; only then does it surely come before what is asked for next. */
    static void checkPlanted(PeerBuffer buffer, long offset, long word) {
        long back = buffer.load64(offset);
        if (back != word) {
            throw PeerlaneException.io(
                    "buffer-not-memory",
                    "the memory of %s at 0x%x reads back 0x%016x after 0x%016x was stored"
                            .formatted(
                                    buffer.memory().owner(),
                                    buffer.busAddress() + offset,
                                    back,
                                    word),
                    "Its CMB does not hold what is written to it: use another buffer");
        }
    }
}
