package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.planning.Geometry;
import java.util.random.RandomGenerator;

/**
 * A fence with a canary in every page. Before a Read, a random word is planted in the last bytes of
 * each page of the bus that the slot touches. It is read back, because planting is a posted write
 * that could arrive after the data. The slot is handed on once all canaries are gone. A canary in
 * the last page alone would not do, because a device moves the pages of a command in any order.
 *
 * <p>A canary that stays for {@link Fence#PATIENCE_NANOS} means a lost peer write. Data that equals
 * a canary by chance, once in 2^64 pages, looks the same.
 */
final class CanaryFence extends Fence {
    private static final int WORD_BYTES = 8;

    private final PeerBuffer buffer;
    private final RandomGenerator random;
    private final String reader;
    private final int chunkBytes;
    private final int pages;
    private final long address;
    private final long[] words;
    private final int[] bytesOf;
    private final int[] goneOf;
    private final long[] sinceOf;
    private final IntQueue waiting;

    /**
     * Creates a fence.
     *
     * @param reader the name of the device that Reads, for messages
     */
    CanaryFence(String reader, PeerBuffer buffer, Geometry geometry, RandomGenerator random) {
        this.reader = reader;
        this.buffer = buffer;
        this.random = random;
        chunkBytes = geometry.chunkBytes();
        address = buffer.busAddress();
        pages = BusPages.most(chunkBytes);
        int slots = geometry.slots();
        words = new long[pages * slots];
        bytesOf = new int[slots];
        goneOf = new int[slots];
        sinceOf = new long[slots];
        waiting = new IntQueue(slots);
    }

    @Override
    void reading(int slot, int bytes) {
        bytesOf[slot] = bytes;
        goneOf[slot] = 0;
        int used = BusPages.count(addressOf(slot), bytes);
        for (int page = 0; page < used; page++) {
            words[slot * pages + page] = random.nextLong();
            buffer.store64(offset(slot, page), words[slot * pages + page]);
        }
        for (int page = 0; page < used; page++) {
            Poison.checkPlanted(buffer, offset(slot, page), words[slot * pages + page]);
        }
    }

    @Override
    void arrived(int slot, long lba) {
        sinceOf[slot] = Long.MIN_VALUE;
        waiting.add(slot);
    }

    @Override
    boolean step(long now, IntQueue ready) {
        boolean moved = false;
        for (int left = waiting.size(); left > 0; left--) {
            int slot = waiting.remove();
            if (isGone(slot)) {
                ready.add(slot);
                moved = true;
                continue;
            }
            if (sinceOf[slot] == Long.MIN_VALUE) {
                sinceOf[slot] = now;
            }
            if (now - sinceOf[slot] <= PATIENCE_NANOS) {
                waiting.add(slot);
                continue;
            }
            throw lost();
        }
        return moved;
    }

    private boolean isGone(int slot) {
        int used = BusPages.count(addressOf(slot), bytesOf[slot]);
        while (goneOf[slot] < used) {
            int page = goneOf[slot];
            if (buffer.load64(offset(slot, page)) == words[slot * pages + page]) {
                return false;
            }
            goneOf[slot]++;
        }
        return true;
    }

    private PeerlaneException lost() {
        return PeerlaneException.io(
                "peer-writes-lost",
                "%s completed a Read into the memory of %s, but after %.1f s a page had not arrived"
                        .formatted(reader, buffer.owner(), PATIENCE_NANOS / 1e9),
                "This platform loses writes between these devices: put both behind one switch, look"
                        + " at ACS and the IOMMU, or copy through host memory");
    }

    @Override
    boolean idle() {
        return waiting.isEmpty();
    }

    @Override
    void completed(int slot, int status) {
        throw new IllegalStateException("slot " + slot + " belongs to no fence");
    }

    @Override
    boolean quarantined() {
        return false;
    }

    @Override
    String label() {
        return FenceChoice.CANARY.label();
    }

    private long offset(int slot, int page) {
        int end = BusPages.end(addressOf(slot), bytesOf[slot], page);
        return (long) slot * chunkBytes + end - WORD_BYTES;
    }

    private long addressOf(int slot) {
        return address + (long) slot * chunkBytes;
    }
}
