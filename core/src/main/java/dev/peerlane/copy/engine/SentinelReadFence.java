package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.ReadFence;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.copy.planning.Planner;
import dev.peerlane.hal.Clock;
import dev.peerlane.pci.Machine;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** A {@link ReadFence} made of a sentinel whose batch is a single Read. */
public final class SentinelReadFence extends ReadFence {
    private static final int SLOT = 0;

    /**
     * A wait without a limit of its own: the timeouts of the command and of its data end it
     * earlier.
     */
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

    private SentinelReadFence(
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
     * Creates a fence that suits the route from the reader to the memory.
     *
     * @param machine the functions and bridges of the fabric
     * @param clock the fabric's clock
     * @param reader the device that Reads, with a port of its own, which the fence closes
     * @param into the memory that receives the data
     * @throws PeerlaneException if the route is not permitted, no fence is sound on it (Relaxed
     *     Ordering, several routes), or the memory has no free block; the port is closed then
     */
    public static ReadFence of(
            Machine machine, Clock clock, Endpoint reader, BufferCandidate into) {
        PeerBuffer block = null;
        try {
            BlockPort port = reader.port();
            if (into.memory().isHost() || into.owner().equals(reader.bdf())) {
                return new SentinelReadFence(clock, reader, null, null);
            }
            Planner.checkFence(machine, reader, into);
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
            return new SentinelReadFence(clock, reader, block, sentinel);
        } catch (RuntimeException | Error e) {
            giveBack(reader.port(), block, e);
            throw e;
        }
    }

    @Override
    public boolean isNeeded() {
        return sentinel != null;
    }

    @Override
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

    @Override
    public boolean hasArrived() {
        if (armed && sentinel != null) {
            reader.port().poll(1, onSentinel);
            moveOn(sentinel);
        }
        return !armed;
    }

    @Override
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
