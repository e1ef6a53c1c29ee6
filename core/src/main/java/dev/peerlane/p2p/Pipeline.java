package dev.peerlane.p2p;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.hal.Clock;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Runs chunks through slots: Read by the reader, fence, then Write or Compare by the second port,
 * many slots at a time on one thread. Nothing is allocated for an I/O.
 *
 * <p>The first error stops it: nothing new starts, what is in flight is taken in for a bounded
 * time, and what is still out then is quarantined. {@link #run} then throws; {@link #log} tells
 * what was done.
 */
final class Pipeline {
    private static final int POLL_MAX = 64;
    private static final long PROGRESS_NANOS = 100_000_000L;
    private static final int MAX_POISONINGS = 3;

    /** A fence that loses patience does so within this. */
    private static final long SETTLE_NANOS = 2_000_000_000L;

    /**
     * How long a function's reset may take (PCIe 5.0, 6.6.2): more than any packet is under way.
     */
    private static final long ARRIVAL_NANOS = 100_000_000L;

    private final Lane lane;
    private final SecondStage stage;
    private final Fence fence;
    private final @Nullable Poison poison;
    private final @Nullable HostMatch match;
    private final Clock clock;
    private final CopyOptions options;
    private final CancelFlag cancel;
    private final ChunkLog log;
    private final int readerBlockBytes;
    private final int secondBlockBytes;

    private final SlotState[] states;
    private final long[] chunkOf;
    private final long[] sinceOf;
    private final int[] failuresOf;
    private final int[] poisoningsOf;
    private final IntQueue free;
    private final IntQueue toRead;
    private final IntQueue ready;
    private final IntQueue again;
    private final int depth;
    private @Nullable Meter meter;
    private boolean stopping;
    private long nextChunk;
    private long now;
    private int reading;
    private boolean readerQuarantined;
    private boolean secondQuarantined;
    private boolean unsafe;
    private @Nullable HandOffs watch;
    private @Nullable PeerlaneException failure;
    private long failedLba = -1;

    private final Completions onRead =
            new Completions() {
                @Override
                public void completed(int slot, int status) {
                    readCompleted(slot - lane.firstSlot(), status);
                }
            };
    private final Completions onSecond =
            new Completions() {
                @Override
                public void completed(int slot, int status) {
                    secondCompleted(slot - lane.firstSlot(), status);
                }
            };

    Pipeline(
            Lane lane,
            SecondStage stage,
            Fence fence,
            @Nullable Poison poison,
            @Nullable HostMatch match,
            Clock clock,
            CopyOptions options,
            CancelFlag cancel) {
        this.lane = lane;
        this.stage = stage;
        this.fence = fence;
        this.poison = poison;
        this.match = match;
        this.clock = clock;
        this.options = options;
        this.cancel = cancel;
        log = new ChunkLog(lane.chunks());
        readerBlockBytes = lane.reader().limits().blockBytes();
        secondBlockBytes = lane.second().limits().blockBytes();
        depth = lane.geometry().readDepth();
        int slots = lane.geometry().slots();
        states = new SlotState[slots];
        Arrays.fill(states, SlotState.FREE);
        chunkOf = new long[slots];
        sinceOf = new long[slots];
        failuresOf = new int[slots];
        poisoningsOf = new int[slots];
        free = new IntQueue(slots);
        toRead = new IntQueue(slots);
        ready = new IntQueue(slots);
        again = new IntQueue(slots);
        for (int i = 0; i < slots; i++) {
            free.add(i);
        }
    }

    /** Has somebody told of each hand-off to a Compare. */
    void watch(HandOffs watcher) {
        watch = watcher;
    }

    /** Has no more chunks begin once a meter has seen enough; what has begun is ended. */
    void measure(Meter with) {
        meter = with;
    }

    /** Returns what was done so far. */
    ChunkLog log() {
        return log;
    }

    /** Returns the block at which the first error happened, on the port that had it, or -1. */
    long failedLba() {
        return failedLba;
    }

    /** Returns whether a device could still touch the memory after {@link #run} has thrown. */
    boolean unsafe() {
        return unsafe;
    }

    /** Returns the bytes that went through so far. */
    long doneBytes() {
        long chunks = log.count();
        long last = lane.chunks() - 1;
        long bytes = chunks * lane.geometry().chunkBytes();
        return log.isDone(last)
                ? bytes - lane.geometry().chunkBytes() + lane.chunkLength(last)
                : bytes;
    }

    /**
     * Runs to the end.
     *
     * @throws PeerlaneException for the first error, when nothing is in flight any more or what is
     *     cannot touch a slot any more
     */
    void run(Progress progress, Progress.Phase phase) {
        now = clock.nanoTime();
        long reported = now;
        long checked = now;
        long checkEvery = Math.max(1, options.commandTimeoutNanos() / 8);
        progress.update(phase, 0, lane.bytes());
        while (!isDone() && failure == null) {
            boolean moved = turn();
            now = clock.nanoTime();
            if (!moved) {
                clock.turn();
            }
            if (meter != null && !stopping) {
                stopping = meter.isOver(now, log.count());
            }
            if (now - checked >= checkEvery) {
                checked = now;
                giveUpLateOnes();
            }
            if (now - reported >= PROGRESS_NANOS) {
                reported = now;
                progress.update(phase, doneBytes(), lane.bytes());
            }
            if (cancel.isCancelled()) {
                fail(interrupted(), -1);
            }
        }
        progress.update(phase, doneBytes(), lane.bytes());
        drain();
        if (failure != null) {
            throw failure;
        }
    }

    private boolean isDone() {
        return log.complete() || (stopping && log.count() == nextChunk);
    }

    private boolean turn() {
        boolean moved = false;
        try {
            moved |= startReads();
            moved |= fence.step(now, ready, again);
            while (!again.isEmpty()) {
                readAgain(again.remove());
            }
            moved |= startSeconds();
            lane.reader().ring();
            lane.second().ring();
            moved |= lane.reader().poll(POLL_MAX, onRead) > 0;
            moved |= lane.second().poll(POLL_MAX, onSecond) > 0;
        } catch (PeerlaneException | InternalError e) {
            fail(Faults.of(e), -1);
        }
        return moved;
    }

    private boolean startReads() {
        boolean moved = false;
        while (!toRead.isEmpty() && reading < depth && startRead(toRead.peek())) {
            toRead.remove();
            moved = true;
        }
        while (toRead.isEmpty()
                && reading < depth
                && !stopping
                && !free.isEmpty()
                && log.mayStart(nextChunk)) {
            int slot = free.remove();
            chunkOf[slot] = nextChunk++;
            failuresOf[slot] = 0;
            poisoningsOf[slot] = 0;
            fence.reading(slot, lane.chunkLength(chunkOf[slot]), true);
            if (watch != null) {
                watch.reading(slot, chunkOf[slot]);
            }
            plantPoison(slot);
            if (!startRead(slot)) {
                states[slot] = SlotState.TO_READ;
                toRead.add(slot);
            }
            moved = true;
        }
        return moved;
    }

    private void plantPoison(int slot) {
        if (poison != null) {
            poisoningsOf[slot]++;
            poison.plant(slot, lane.chunkLength(chunkOf[slot]));
        }
    }

    private boolean startRead(int slot) {
        long chunk = chunkOf[slot];
        int blocks = lane.chunkLength(chunk) / readerBlockBytes;
        if (!lane.reader().submitRead(lane.firstSlot() + slot, lane.readerLbaOf(chunk), blocks)) {
            return false;
        }
        states[slot] = SlotState.READING;
        sinceOf[slot] = now;
        reading++;
        return true;
    }

    private boolean startSeconds() {
        boolean moved = false;
        while (!ready.isEmpty()) {
            int slot = ready.peek();
            if (poison != null
                    && states[slot] == SlotState.FENCED
                    && !poison.isGone(slot, lane.chunkLength(chunkOf[slot]))) {
                ready.remove();
                readAgainOrFail(slot);
                moved = true;
                continue;
            }
            states[slot] = SlotState.READY;
            if (!startSecond(slot)) {
                break;
            }
            ready.remove();
            states[slot] = SlotState.SECOND;
            sinceOf[slot] = now;
            moved = true;
        }
        return moved;
    }

    private boolean startSecond(int slot) {
        long chunk = chunkOf[slot];
        long lba = lane.secondLbaOf(chunk);
        int blocks = lane.chunkLength(chunk) / secondBlockBytes;
        BlockPort second = lane.second();
        int number = lane.firstSlot() + slot;
        return switch (stage) {
            case WRITE -> second.submitWrite(number, lba, blocks);
            case COMPARE -> second.submitCompare(number, lba, blocks);
            case MATCH -> {
                if (match != null) {
                    match.plant(slot, lane.chunkLength(chunk));
                }
                yield second.submitRead(number + lane.geometry().slots(), lba, blocks);
            }
        };
    }

    /** A page still holds its poison: its data got lost, or equals the poison by chance. */
    private void readAgainOrFail(int slot) {
        if (poisoningsOf[slot] >= MAX_POISONINGS) {
            long lba = lane.readerLbaOf(chunkOf[slot]);
            boolean host = lane.buffer().memory().isHost();
            fail(
                    PeerlaneException.io(
                            host ? "host-data-missing" : "peer-data-missing",
                            "%s completed the Read of block %d, but a page of it never arrived in"
                                            .formatted(lane.reader().name(), lba)
                                    + " the memory of "
                                    + lane.buffer().memory().owner(),
                            host
                                    ? "The device does not reach host memory: look for faults of"
                                            + " the IOMMU in the system's log"
                                    : "This platform loses peer writes between these devices: copy"
                                            + " with --buffer host"),
                    lba);
            return;
        }
        plantPoison(slot);
        readAgain(slot);
    }

    private void readAgain(int slot) {
        fence.reading(slot, lane.chunkLength(chunkOf[slot]), false);
        states[slot] = SlotState.TO_READ;
        toRead.add(slot);
    }

    private void readCompleted(int slot, int status) {
        if (slot >= states.length) {
            try {
                fence.completed(slot + lane.firstSlot(), status);
            } catch (PeerlaneException e) {
                fail(e, -1);
            }
            return;
        }
        if (states[slot] == SlotState.QUARANTINED) {
            return;
        }
        reading--;
        if (status == 0) {
            states[slot] = SlotState.FENCED;
            fence.arrived(slot, lane.readerLbaOf(chunkOf[slot]));
            return;
        }
        if (lane.reader().mayRetry(status) && failuresOf[slot] < options.retries()) {
            failuresOf[slot]++;
            states[slot] = SlotState.TO_READ;
            again.add(slot);
            return;
        }
        states[slot] = SlotState.FREE;
        long lba = lane.readerLbaOf(chunkOf[slot]);
        fail(statusFailure("read-failed", "Read", lane.reader(), slot, lba, status), lba);
    }

    private void secondCompleted(int slot, int status) {
        int own = stage == SecondStage.MATCH ? slot - lane.geometry().slots() : slot;
        if (states[own] == SlotState.QUARANTINED) {
            return;
        }
        long lba = lane.secondLbaOf(chunkOf[own]);
        if (status == 0) {
            if (match != null && !match.equal(own, lane.chunkLength(chunkOf[own]))) {
                fail(mismatch(own, lba), lba);
            } else {
                log.done(chunkOf[own]);
                if (watch != null) {
                    watch.equal(own);
                }
            }
            states[own] = SlotState.FREE;
            free.add(own);
            return;
        }
        BlockPort second = lane.second();
        if (watch != null && second.isMiscompare(status) && watch.differs(own)) {
            states[own] = SlotState.READY;
            ready.add(own);
            return;
        }
        if (second.mayRetry(status) && failuresOf[own] < options.retries()) {
            failuresOf[own]++;
            states[own] = SlotState.READY;
            ready.add(own);
            return;
        }
        states[own] = SlotState.FREE;
        if (stage == SecondStage.COMPARE && second.isMiscompare(status)) {
            fail(mismatch(own, lba), lba);
            return;
        }
        String command = stage == SecondStage.WRITE ? "Write" : "Compare";
        if (stage == SecondStage.MATCH) {
            command = "Read";
        }
        String code = stage == SecondStage.WRITE ? "write-failed" : "verify-failed";
        fail(statusFailure(code, command, second, own, lba, status), lba);
    }

    private PeerlaneException statusFailure(
            String code, String command, BlockPort port, int slot, long lba, int status) {
        int blocks = lane.chunkLength(chunkOf[slot]) / port.limits().blockBytes();
        return PeerlaneException.io(
                code,
                "%s of blocks %d to %d of %s ended with %s"
                        .formatted(
                                command, lba, lba + blocks - 1, port.name(), port.describe(status)),
                failuresOf[slot] > 0
                        ? "It was tried " + (failuresOf[slot] + 1) + " times: check the device"
                        : "Check the device's health; what is not copied is named in the receipt");
    }

    private PeerlaneException mismatch(int slot, long lba) {
        int blocks = lane.chunkLength(chunkOf[slot]) / secondBlockBytes;
        return PeerlaneException.io(
                "verify-mismatch",
                "the data of blocks %d to %d of %s differ from those of %s"
                        .formatted(
                                lba, lba + blocks - 1, lane.second().name(), lane.reader().name()),
                lane.buffer().memory().isHost()
                        ? "The copy is not good: find out who else writes to either, then the health"
                                + " of both devices"
                        : "The copy is not good: if no one else writes to either, this platform"
                                + " delivers wrong data between these devices; copy with --buffer"
                                + " host");
    }

    private PeerlaneException interrupted() {
        return new PeerlaneException(
                PeerlaneException.Category.INTERRUPTED,
                "interrupted",
                "stopped on request after %d of %d bytes".formatted(doneBytes(), lane.bytes()),
                "What is not copied is named in the receipt");
    }

    private void fail(PeerlaneException e, long lba) {
        if (failure == null) {
            failure = e;
            failedLba = lba;
        } else if (failure != e) {
            failure.addSuppressed(e);
        }
    }

    /** Gives up commands that take too long: abort, quarantine, stop. */
    private void giveUpLateOnes() {
        for (int slot = 0; slot < states.length; slot++) {
            boolean reading = states[slot] == SlotState.READING;
            if ((reading || states[slot] == SlotState.SECOND)
                    && now - sinceOf[slot] > options.commandTimeoutNanos()) {
                BlockPort port = reading ? lane.reader() : lane.second();
                long lba =
                        reading ? lane.readerLbaOf(chunkOf[slot]) : lane.secondLbaOf(chunkOf[slot]);
                states[slot] = SlotState.QUARANTINED;
                readerQuarantined |= reading;
                secondQuarantined |= !reading;
                giveUp(port, numberOn(port, slot), lba);
            }
        }
    }

    private int numberOn(BlockPort port, int slot) {
        boolean paired = stage == SecondStage.MATCH && port == lane.second();
        return lane.firstSlot() + slot + (paired ? lane.geometry().slots() : 0);
    }

    private void giveUp(BlockPort port, int number, long lba) {
        String said;
        try {
            said = port.abort(number);
        } catch (PeerlaneException | InternalError e) {
            said = String.valueOf(e.getMessage());
        }
        fail(
                PeerlaneException.io(
                        "command-timeout",
                        "the command for block %d of %s did not end within %.1f s; its abort: %s"
                                .formatted(
                                        lba,
                                        port.name(),
                                        options.commandTimeoutNanos() / 1e9,
                                        said),
                        "The device is stuck: look at its log and reset it"),
                lba);
    }

    /** Takes in what is in flight, and makes sure that nothing more can touch a slot. */
    private void drain() {
        boolean quarantined = readerQuarantined || fence.quarantined();
        boolean arrived = takeIn(lane.reader(), onRead, quarantined) && settleFence();
        quiesceIfBusy(lane.reader(), quarantined || fence.quarantined());
        takeIn(lane.second(), onSecond, secondQuarantined);
        quiesceIfBusy(lane.second(), secondQuarantined);
        if (!arrived && !lane.buffer().memory().isHost()) {
            // no fence can ask a stopped reader whether its posted writes have arrived
            clock.await(() -> false, ARRIVAL_NANOS);
        }
    }

    /** Returns whether the port still works and nothing of it is in flight. */
    private boolean takeIn(BlockPort port, Completions completions, boolean quarantined) {
        try {
            return clock.await(
                            () -> {
                                port.ring();
                                port.poll(POLL_MAX, completions);
                                return port.inFlight() == 0;
                            },
                            quarantined ? 0 : options.commandTimeoutNanos())
                    && !quarantined;
        } catch (PeerlaneException | InternalError e) {
            fail(Faults.of(e), -1);
            return false;
        }
    }

    /**
     * After a failure, slots may have completed whose data is still on its way: it would land in
     * memory that was wiped and given back. The fence knows when it has arrived.
     */
    private boolean settleFence() {
        try {
            return clock.await(
                    () -> {
                        fence.step(clock.nanoTime(), ready, again);
                        lane.reader().ring();
                        lane.reader().poll(POLL_MAX, onRead);
                        return fence.idle();
                    },
                    Math.min(options.commandTimeoutNanos(), SETTLE_NANOS));
        } catch (PeerlaneException | InternalError e) {
            fail(Faults.of(e), -1);
            return false;
        }
    }

    private void quiesceIfBusy(BlockPort port, boolean quarantined) {
        if (port.inFlight() > 0 || quarantined) {
            try {
                port.quiesce();
            } catch (PeerlaneException | InternalError e) {
                unsafe = true;
                fail(Faults.of(e), -1);
            }
        }
    }
}
