package dev.peerlane.p2p;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.hal.Clock;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/**
 * Tells when the data of Reads into another device's memory has arrived there.
 *
 * <p>The completion of a Read is no arrival: the data goes to the memory of a peer, the completion
 * to host memory, and the completion can overtake the data. Whoever hands the memory on at once
 * hands on old bytes now and then, and every status says success. A fence stands in between:
 *
 * <pre>{@code
 * try (ReadFence fence = session.readFence(source, targetController)) {
 *     source.read(buffer, 0, lba, blocks);  // buffer: a part of the target's CMB
 *     fence.await(lba);                     // now the data is there
 *     target.write(buffer, 0, lba, blocks);
 * }
 * }</pre>
 *
 * <p>It Reads one more block from the same source into a block of the same memory that holds a
 * random word. Posted writes of one requester on one way keep their order while Relaxed Ordering is
 * off (PCIe 5.0, 2.4.1), so when the word has gone, so have all data before it arrived. That holds
 * for every Read of the source whose completion was taken before {@link #arm}, from any queue and
 * into any part of the memory. Where the source owns the memory itself no fence is needed, and this
 * one does nothing.
 *
 * <p>Used by the thread that owns the source's controller. It takes a queue pair of the source and
 * one block of the memory, and gives both back when it is closed. An I/O allocates nothing.
 */
public final class ReadFence implements AutoCloseable {
    private static final int SLOT = 0;

    /** The bounds of the commands and of the data on its way end a wait before this does. */
    private static final long FOR_EVER_NANOS = Long.MAX_VALUE / 2;

    private final Clock clock;
    private final Endpoint reader;
    private final @Nullable PeerBuffer block;
    private final @Nullable SentinelFence sentinel;
    private final IntQueue arrived = new IntQueue(1);
    private final Completions onSentinel =
            new Completions() {
                @Override
                public void completed(int slot, int status) {
                    onCompletion(slot, status);
                }
            };
    private boolean armed;
    private boolean closed;

    private ReadFence(
            Clock clock,
            Endpoint reader,
            @Nullable PeerBuffer block,
            @Nullable SentinelFence sentinel) {
        this.clock = clock;
        this.reader = reader;
        this.block = block;
        this.sentinel = sentinel;
    }

    /**
     * Creates a fence; plans it by the way from the reader to the memory.
     *
     * @param machine the functions and bridges of the fabric
     * @param clock the fabric's clock
     * @param reader who Reads, with a port of its own, which the fence closes
     * @param into the memory that is Read into
     * @throws PeerlaneException if the way is not permitted, no fence is sound on it (Relaxed
     *     Ordering, several ways), or the memory has no block free; the port is closed then
     */
    public static ReadFence of(
            Machine machine, Clock clock, Endpoint reader, BufferCandidate into) {
        PeerBuffer block = null;
        try {
            BlockPort port = reader.port();
            if (into.memory().isHost() || into.owner().equals(reader.bdf())) {
                return new ReadFence(clock, reader, null, null);
            }
            check(machine, reader, into);
            int bytes = port.limits().blockBytes();
            block = into.memory().allocate(bytes, Math.min(bytes, Geometry.PAGE_BYTES));
            port.attach(block, 0, bytes, bytes, 1);
            SentinelFence sentinel =
                    new SentinelFence(
                            port,
                            block,
                            new Geometry(0, 1, 1, bytes),
                            SLOT,
                            CopyOptions.DEFAULTS,
                            Poison.words(new SecureRandom().nextLong()));
            return new ReadFence(clock, reader, block, sentinel);
        } catch (RuntimeException | Error e) {
            giveBack(reader.port(), block, e);
            throw e;
        }
    }

    private static void check(Machine machine, Endpoint reader, BufferCandidate into) {
        Party source = Party.of(reader, machine);
        Bdf owner = into.owner();
        Party itself =
                new Party(into.locator(), owner, source.blockBytes(), 0, true, Boolean.FALSE);
        PeerMemory memory = into.memory();
        Carrier carrier =
                new Carrier(
                        into.locator(),
                        owner,
                        memory.sizeBytes(),
                        true,
                        true,
                        memory.loadsOvertakeWrites());
        Demand demand = new Demand(source, itself, FenceChoice.SENTINEL, 0, 0);
        for (Fitness.Reason reason : Fitness.ofCheck(machine, demand, carrier).against()) {
            throw new PeerlaneException(
                    reason.unfit().category(),
                    reason.unfit().code(),
                    "Reads of %s into the memory of %s can't be fenced: %s"
                            .formatted(reader.name(), into.locator(), reason.words()),
                    "Use memory of the reader itself, or host memory");
        }
    }

    /** Returns whether data can come late at all; else {@link #arm} and its like do nothing. */
    public boolean isNeeded() {
        return sentinel != null;
    }

    /**
     * Begins to look for the data of all Reads that have completed so far.
     *
     * @param lba a block of the source that can be read, best one that was read a moment before
     * @throws IllegalStateException if the data it was armed for before has not arrived yet
     */
    public void arm(long lba) {
        if (closed || armed) {
            throw new IllegalStateException(
                    "the fence of %s %s"
                            .formatted(reader.name(), closed ? "is closed" : "is armed already"));
        }
        if (sentinel != null) {
            sentinel.arrived(SLOT, lba);
            armed = true;
            moveOn(sentinel);
        }
    }

    /**
     * Returns whether the data of all Reads that had completed when it was armed has arrived. Does
     * not wait: call it again, and let the fabric's clock turn in between.
     *
     * @throws PeerlaneException if the source failed or did not answer, or the data did not arrive
     *     within a second ({@code peer-writes-lost}); the fence can only be closed then
     */
    public boolean hasArrived() {
        if (armed && sentinel != null) {
            reader.port().poll(1, onSentinel);
            moveOn(sentinel);
        }
        return !armed;
    }

    /** Arms it and waits until the data has arrived; errors as those of both. */
    public void await(long lba) {
        arm(lba);
        clock.await(this::hasArrived, FOR_EVER_NANOS);
    }

    private void moveOn(SentinelFence fence) {
        if (fence.step(clock.nanoTime(), arrived)) {
            reader.port().ring();
        }
        if (!arrived.isEmpty()) {
            arrived.remove();
            armed = false;
        }
    }

    private void onCompletion(int slot, int status) {
        if (sentinel != null) {
            sentinel.completed(slot, status);
        }
    }

    /** Gives the queue pair and the block back. A second call does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        reader.port().close(); // where that fails the block may still be written, and stays
        if (block != null) {
            block.close();
        }
    }

    private static void giveBack(BlockPort port, @Nullable PeerBuffer block, Throwable why) {
        try {
            port.close();
            if (block != null) {
                block.close();
            }
        } catch (RuntimeException | Error e) {
            why.addSuppressed(e);
        }
    }
}
