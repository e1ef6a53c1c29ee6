package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.VerifyMethod;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.hal.Clock;
import java.util.random.RandomGenerator;

/**
 * Proves that a port's Compare really reads the slots in a third party's memory. Every page is
 * filled with random data, and a Compare of it with the medium must end in Compare Failure. If peer
 * reads return ones, zeroes or other memory, the Write and the Compare saw the same garbage, and
 * the control Compare succeeds where it must fail.
 */
final class ControlCompare {
    private final Lane lane;
    private final Clock clock;
    private final CopyOptions options;
    private final RandomGenerator random;
    private final int pageBytes;
    private final int firstPage;
    private int made;
    private int lastStatus;
    private boolean ended;

    private final Completions onEnd =
            new Completions() {
                @Override
                public void completed(int slot, int status) {
                    lastStatus = status;
                    ended = true;
                }
            };

    private ControlCompare(
            Lane lane, Clock clock, CopyOptions options, RandomGenerator random, int pageBytes) {
        this.lane = lane;
        this.clock = clock;
        this.options = options;
        this.random = random;
        this.pageBytes = pageBytes;
        firstPage =
                Lane.attachBoth(
                        lane.reader(),
                        lane.second(),
                        lane.buffer(),
                        0,
                        pageBytes,
                        pages(lane, pageBytes));
    }

    /** Attaches every page of every slot as a slot of its own. */
    static ControlCompare over(
            Lane lane, Clock clock, CopyOptions options, RandomGenerator random) {
        int unit =
                Math.max(lane.second().limits().blockBytes(), lane.reader().limits().blockBytes());
        int page = Math.max(unit, Geometry.PAGE_BYTES);
        if (lane.geometry().chunkBytes() % page != 0) {
            page = unit;
        }
        return new ControlCompare(lane, clock, options, random, page);
    }

    private static int pages(Lane lane, int pageBytes) {
        return lane.geometry().chunkBytes() / pageBytes * lane.geometry().slots();
    }

    /**
     * Runs the control over all pages.
     *
     * @throws PeerlaneException if a Compare with random data succeeds
     */
    void run() {
        int blockBytes = lane.second().limits().blockBytes();
        int blocks = (int) Math.min(pageBytes / blockBytes, lane.bytes() / blockBytes);
        for (int page = 0; page < pages(lane, pageBytes); page++) {
            boolean differs = differs(page, blocks);
            if (!differs) {
                // the medium may hold just that random data: try once more, with other data
                differs = differs(page, blocks);
            }
            if (!differs) {
                throw PeerlaneException.io(
                        "peer-reads-lie",
                        "%s compared random data at 0x%x in the memory of %s with block %d and"
                                        .formatted(
                                                lane.second().name(),
                                                lane.buffer().busAddress()
                                                        + (long) page * pageBytes,
                                                lane.buffer().owner(),
                                                lbaOf(page, blocks))
                                + " found no difference: its reads do not reach that memory",
                        "The copy can't be trusted: use the memory of the target, or host memory");
            }
        }
    }

    /**
     * Returns the first block that the copy moved through a page. If reads of that page return
     * garbage, the copy wrote it there.
     */
    private long lbaOf(int page, int blocks) {
        int blockBytes = lane.second().limits().blockBytes();
        long at = (long) page * pageBytes / blockBytes;
        return lane.secondLba() + Math.min(at, lane.bytes() / blockBytes - blocks);
    }

    private boolean differs(int page, int blocks) {
        PeerBuffer buffer = lane.buffer();
        long offset = (long) page * pageBytes;
        buffer.fill(offset, pageBytes, random.nextInt());
        Poison.plantWord(buffer, offset, random.nextLong());
        BlockPort port = lane.second();
        ended = false;
        if (!port.submitCompare(firstPage + page, lbaOf(page, blocks), blocks)) {
            throw new IllegalStateException("the queue is full though nothing is in flight");
        }
        boolean inTime =
                clock.await(
                        () -> {
                            port.ring();
                            port.poll(1, onEnd);
                            return ended;
                        },
                        options.commandTimeoutNanos());
        if (!inTime) {
            throw Blame.late(
                    port,
                    firstPage + page,
                    "a control Compare of " + port.name(),
                    options.commandTimeoutNanos());
        }
        if (lastStatus != 0 && !port.isMiscompare(lastStatus)) {
            throw PeerlaneException.io(
                            "verify-failed",
                            "a control Compare of %s ended with %s"
                                    .formatted(port.name(), port.describe(lastStatus)),
                            "Verify in host memory")
                    .with("verify", VerifyMethod.HOST.label());
        }
        made += lastStatus == 0 ? 0 : 1;
        return lastStatus != 0;
    }

    /** Returns the number of control Compares that ended in Compare Failure. */
    int made() {
        return made;
    }
}
