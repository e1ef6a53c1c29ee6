package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.planning.Geometry;
import java.util.random.RandomGenerator;

/**
 * A fence that uses sentinels. After a batch of Reads has completed, one more block is Read from
 * the same source into a block of the same memory that holds a random canary. Posted writes of one
 * requester on one route stay in order while Relaxed Ordering is off (PCIe 5.0, 2.4.1). So once the
 * canary is gone, all data of the batch has arrived.
 *
 * <p>A canary is at the end of every page of the bus that the block touches, so that the sentinel's
 * own data has arrived too. Otherwise it could arrive when the memory belongs to someone else.
 *
 * <p>Planting the canary is a posted write too and could arrive after the source's data, so the
 * canary is read back before the source's doorbell is rung. A canary that stays for {@link
 * Fence#PATIENCE_NANOS} means a lost peer write. Data that equals the canary by chance, once in
 * 2^64 batches, looks the same.
 */
final class SentinelFence extends Fence {
    private static final int WORD_BYTES = 8;

    private enum State {
        IDLE,
        READING,
        POLLING
    }

    private final BlockPort reader;
    private final PeerBuffer buffer;
    private final RandomGenerator random;
    private final CopyOptions options;
    private final IntQueue arrived;
    private final Sentinel[] sentinels;
    private final int firstSlot;
    private final int blockBytes;
    private final long address;
    private long newestLba;
    private boolean quarantined;

    /** One block of the memory, and the batch that waits for it. */
    private static final class Sentinel {
        final int slot;
        final long offset;
        final IntQueue batch;
        State state = State.IDLE;
        long canary;
        long lba;
        int failures;
        boolean submitted;
        long since;

        Sentinel(int slot, long offset, int capacity) {
            this.slot = slot;
            this.offset = offset;
            batch = new IntQueue(capacity);
        }
    }

    /**
     * Creates a fence.
     *
     * @param reader the port that Reads; its sentinel slots are attached, from {@code firstSlot} on
     * @param buffer the memory that holds slots and sentinels
     * @param geometry how the memory is cut
     * @param firstSlot the number of the first sentinel's slot
     * @param options retries and timeout of a sentinel's own Read
     * @param random generates the canaries
     */
    SentinelFence(
            BlockPort reader,
            PeerBuffer buffer,
            Geometry geometry,
            int firstSlot,
            CopyOptions options,
            RandomGenerator random) {
        this.reader = reader;
        this.buffer = buffer;
        this.random = random;
        this.options = options;
        this.firstSlot = firstSlot;
        blockBytes = reader.limits().blockBytes();
        address = buffer.busAddress();
        arrived = new IntQueue(geometry.slots());
        sentinels = new Sentinel[geometry.sentinels()];
        for (int i = 0; i < sentinels.length; i++) {
            long offset = geometry.sentinelOffset() + (long) i * geometry.sentinelBytes();
            sentinels[i] = new Sentinel(firstSlot + i, offset, geometry.slots());
        }
    }

    /** Creates the fence over the sentinels of a lane. */
    static SentinelFence over(Lane lane, CopyOptions options, RandomGenerator random) {
        int first = lane.firstSlot() + lane.geometry().slots();
        return new SentinelFence(
                lane.reader(), lane.buffer(), lane.geometry(), first, options, random);
    }

    @Override
    void reading(int slot, int bytes) {}

    @Override
    void arrived(int slot, long lba) {
        arrived.add(slot);
        newestLba = lba;
    }

    @Override
    boolean step(long now, IntQueue ready) {
        boolean moved = false;
        for (Sentinel s : sentinels) {
            if (s.state == State.IDLE && !arrived.isEmpty()) {
                while (!arrived.isEmpty()) {
                    s.batch.add(arrived.remove());
                }
                s.lba = newestLba;
                s.failures = 0;
                plant(s);
                moved = true;
            }
            if (s.state == State.READING && !s.submitted) {
                s.submitted = reader.submitRead(s.slot, s.lba, 1);
                s.since = now;
                moved |= s.submitted;
            } else if (s.state == State.READING && now - s.since > options.commandTimeoutNanos()) {
                throw late(s);
            }
            if (s.state == State.POLLING) {
                moved |= poll(s, now, ready);
            }
        }
        return moved;
    }

    @Override
    boolean idle() {
        boolean idle = arrived.isEmpty();
        for (Sentinel s : sentinels) {
            idle &= s.state == State.IDLE;
        }
        return idle;
    }

    @Override
    void completed(int slot, int status) {
        Sentinel s = sentinels[slot - firstSlot];
        if (s.state != State.READING) {
            throw new IllegalStateException("sentinel " + slot + " completed while " + s.state);
        }
        if (status == 0) {
            s.state = State.POLLING;
            s.since = Long.MIN_VALUE;
        } else if (reader.mayRetry(status) && s.failures < options.retries()) {
            s.failures++;
            s.submitted = false;
        } else {
            throw PeerlaneException.io(
                    "fence-read-failed",
                    "the sentinel's Read of block %d of %s ended with %s"
                            .formatted(s.lba, reader.name(), reader.describe(status)),
                    "The block was read a moment before: check the source's health");
        }
    }

    private PeerlaneException late(Sentinel s) {
        quarantined = true;
        return Blame.late(
                reader,
                s.slot,
                "the sentinel's Read of block %d of %s".formatted(s.lba, reader.name()),
                options.commandTimeoutNanos());
    }

    @Override
    boolean quarantined() {
        return quarantined;
    }

    @Override
    String label() {
        return "sentinel";
    }

    private void plant(Sentinel s) {
        s.canary = random.nextLong();
        s.state = State.READING;
        s.submitted = false;
        for (int word = 0; word < wordsOf(s); word++) {
            Poison.plantWord(buffer, offset(s, word), s.canary);
        }
    }

    private boolean isGone(Sentinel s) {
        for (int word = 0; word < wordsOf(s); word++) {
            if (buffer.load64(offset(s, word)) == s.canary) {
                return false;
            }
        }
        return true;
    }

    private long offset(Sentinel s, int word) {
        return s.offset + BusPages.end(address + s.offset, blockBytes, word) - WORD_BYTES;
    }

    private int wordsOf(Sentinel s) {
        return BusPages.count(address + s.offset, blockBytes);
    }

    private boolean poll(Sentinel s, long now, IntQueue ready) {
        if (isGone(s)) {
            while (!s.batch.isEmpty()) {
                ready.add(s.batch.remove());
            }
            s.state = State.IDLE;
            return true;
        }
        if (s.since == Long.MIN_VALUE) {
            s.since = now;
        } else if (now - s.since > PATIENCE_NANOS) {
            throw PeerlaneException.io(
                    "peer-writes-lost",
                    "%s completed a Read into the memory of %s, but after %.1f s nothing had arrived there"
                            .formatted(reader.name(), buffer.owner(), PATIENCE_NANOS / 1e9),
                    "This platform loses writes between these devices: put both behind one"
                            + " switch, look at ACS and the IOMMU, or copy through host memory");
        }
        return false;
    }
}
