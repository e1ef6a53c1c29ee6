package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Progress;
import dev.peerlane.hal.Clock;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Moves chunks through slots: Read by the reader, fence, then Write or Compare by the second port,
 * many slots at a time on one thread. It allocates nothing per I/O.
 *
 * <p>The first error stops it: nothing new starts, commands in flight are awaited for a bounded
 * time, and the slots of those that remain are quarantined. {@link #run} then throws, and {@link
 * #log} tells which chunks are done.
 */
final class Pipeline {
    static final int POLL_MAX = 64;
    private static final long PROGRESS_NANOS = 100_000_000L;
    private static final int MAX_POISONINGS = 3;

    private final Lane lane;
    private final SecondStage stage;
    private final Fence fence;
    private @Nullable Poison poison;
    private @Nullable HostMatch match;
    private final Clock clock;
    private final CopyOptions options;
    private final CancelFlag cancel;
    private final ChunkLog log;
    private final ChunkErrors errors;
    private final int readerBlockBytes;
    private final int secondBlockBytes;

    private final SlotState[] states;
    private final long[] chunkOf;
    private final long[] sinceOf;
    private final int[] failuresOf;
    private final int[] poisoningsOf;
    private final IntQueue toRead;
    private final IntQueue ready;
    private final IntQueue again;
    private final IntQueue toControl;
    private final int depth;
    private FreeSlots free;
    private @Nullable Controls controls;
    private @Nullable Meter meter;
    private boolean stopping;
    private long nextChunk;
    private long now;
    private int reading;
    private boolean readerQuarantined;
    private boolean secondQuarantined;
    private boolean unsafe;
    private boolean readerSuspect;
    private boolean secondSuspect;
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
            Clock clock,
            CopyOptions options,
            CancelFlag cancel) {
        this.lane = lane;
        this.stage = stage;
        this.fence = fence;
        this.clock = clock;
        this.options = options;
        this.cancel = cancel;
        log = new ChunkLog(lane.chunks());
        errors = new ChunkErrors(lane, stage);
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
        free = new FreeSlots(slots, false);
        toRead = new IntQueue(slots);
        ready = new IntQueue(slots);
        again = new IntQueue(slots);
        toControl = new IntQueue(slots);
    }

    /** Sets the poison of slots, planted before each Read. */
    void poison(Poison with) {
        poison = with;
    }

    /** Sets the comparison in host memory, if that is the second stage. */
    void match(HostMatch with) {
        match = with;
    }

    /** Sets the observer of each hand-off to a Compare. */
    void watch(HandOffs watcher) {
        watch = watcher;
    }

    /** Makes chunks use other slots than in a pipeline over the same slots without this call. */
    void inOtherSlots() {
        free = new FreeSlots(states.length, true);
    }

    /** Sets the control Compares. */
    void control(Controls with) {
        controls = with;
    }

    /**
     * Sets a meter. Once it has seen enough, no more chunks begin, and those that have begun are
     * finished.
     */
    void measure(Meter with) {
        meter = with;
    }

    /** Returns the log of the chunks that are done. */
    ChunkLog log() {
        return log;
    }

    /** Returns the block of the first error, on the port that had it, or -1. */
    long failedLba() {
        return failedLba;
    }

    /** Returns whether a device could still touch the memory after {@link #run} has thrown. */
    boolean unsafe() {
        return unsafe;
    }

    /** Adds the ports on which a command ended in an error. */
    void addSuspects(Suspects to) {
        if (readerSuspect) {
            to.add(lane.reader());
        }
        if (secondSuspect) {
            to.add(lane.second());
        }
    }

    /** Returns the number of bytes that are done. */
    long doneBytes() {
        long chunks = log.count();
        long last = lane.shortest();
        long bytes = chunks * lane.geometry().chunkBytes();
        return log.isDone(last)
                ? bytes - lane.geometry().chunkBytes() + lane.chunkLength(last)
                : bytes;
    }

    /**
     * Runs until all chunks are done.
     *
     * @throws PeerlaneException for the first error, once nothing is in flight, or what is can't
     *     touch a slot any more
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
                turnClock();
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
            if (cancel.isCancelled() && !isDone()) {
                fail(cancel.error(), -1);
            }
        }
        progress.update(phase, doneBytes(), lane.bytes());
        unsafe = windDown().run(readerQuarantined, secondQuarantined);
        if (failure != null) {
            throw failure;
        }
    }

    private WindDown windDown() {
        return new WindDown(lane, fence, clock, options.commandTimeoutNanos()) {
            @Override
            void takeIn(boolean reader) {
                BlockPort port = reader ? lane.reader() : lane.second();
                port.ring();
                port.poll(POLL_MAX, reader ? onRead : onSecond);
            }

            @Override
            void stepFence() {
                fence.step(clock.nanoTime(), ready);
                takeIn(true);
            }

            @Override
            void failed(PeerlaneException e) {
                fail(e, -1);
            }
        };
    }

    private boolean isDone() {
        return log.complete() || (stopping && log.count() == nextChunk);
    }

    /**
     * Turns the clock. An error in it is recorded like any other, so that commands in flight are
     * still wound down.
     */
    private void turnClock() {
        try {
            clock.turn();
        } catch (PeerlaneException | InternalError e) {
            fail(Faults.of(e), -1);
        }
    }

    private boolean turn() {
        boolean moved = false;
        try {
            moved |= startReads();
            moved |= fence.step(now, ready);
            while (!again.isEmpty()) {
                readAgain(again.remove());
            }
            while (!toControl.isEmpty()) {
                control(toControl.remove());
            }
            moved |= startSeconds();
            lane.reader().ring();
            lane.second().ring();
            moved |= take(lane.reader(), onRead);
            moved |= take(lane.second(), onSecond);
        } catch (PeerlaneException | InternalError e) {
            fail(Faults.of(e), -1);
        }
        return moved;
    }

    private boolean take(BlockPort port, Completions completions) {
        int taken = port.poll(POLL_MAX, completions);
        Linger.after(taken, port.inFlight(), clock);
        return taken > 0;
    }

    private boolean startReads() {
        boolean moved = false;
        while (!toRead.isEmpty() && reading < depth && startRead(toRead.peek())) {
            toRead.remove();
            moved = true;
        }
        while (toRead.isEmpty() && reading < depth && !stopping && log.mayStart(nextChunk)) {
            int slot = free.take(lane.place(nextChunk));
            if (slot < 0) {
                break;
            }
            chunkOf[slot] = nextChunk++;
            failuresOf[slot] = 0;
            poisoningsOf[slot] = 0;
            fence.reading(slot, lane.chunkLength(chunkOf[slot]));
            if (watch != null) {
                watch.reading(slot, chunkOf[slot]);
            }
            if (controls != null) {
                controls.reading(slot, chunkOf[slot]);
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

    /**
     * Handles a page that still holds its poison: its data got lost, or equals the poison by
     * chance.
     */
    private void readAgainOrFail(int slot) {
        if (poisoningsOf[slot] >= MAX_POISONINGS) {
            long lba = lane.readerLbaOf(chunkOf[slot]);
            fail(errors.missing(lba), lba);
            return;
        }
        plantPoison(slot);
        readAgain(slot);
    }

    private void readAgain(int slot) {
        fence.reading(slot, lane.chunkLength(chunkOf[slot]));
        states[slot] = SlotState.TO_READ;
        toRead.add(slot);
    }

    private void readCompleted(int slot, int status) {
        readerSuspect |= status != 0;
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
        fail(errors.ended(true, chunkOf[slot], status, failuresOf[slot]), lba);
    }

    private void secondCompleted(int slot, int status) {
        int own = stage == SecondStage.MATCH ? slot - lane.geometry().slots() : slot;
        if (states[own] == SlotState.QUARANTINED) {
            return;
        }
        long lba = lane.secondLbaOf(chunkOf[own]);
        if (status == 0) {
            if (match != null && !match.equal(own, lane.chunkLength(chunkOf[own]))) {
                fail(errors.mismatch(chunkOf[own]), lba);
            } else if (controls != null && controls.wants(own, chunkOf[own])) {
                controls.notFound(own);
                states[own] = SlotState.READY;
                toControl.add(own);
            } else {
                done(own);
            }
            return;
        }
        BlockPort second = lane.second();
        secondSuspect |= !second.isMiscompare(status);
        if (controls != null && controls.isTurned(own) && second.isMiscompare(status)) {
            states[own] = SlotState.READY;
            toControl.add(own);
            return;
        }
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
            fail(errors.mismatch(chunkOf[own]), lba);
            return;
        }
        fail(errors.ended(false, chunkOf[own], status, failuresOf[own]), lba);
    }

    private void done(int slot) {
        log.done(chunkOf[slot]);
        if (watch != null) {
            watch.equal(slot);
        }
        states[slot] = SlotState.FREE;
        free.give(slot);
    }

    /**
     * Moves a slot that was found equal, or whose flipped bit was found, to its next control
     * Compare, or to its end.
     */
    private void control(int slot) {
        Controls with = Objects.requireNonNull(controls);
        long chunk = chunkOf[slot];
        if (with.isTurned(slot)) {
            if (with.isFound(slot)) {
                with.found(slot, chunk);
            } else if (with.isStillTurned(slot, chunk)) {
                fail(errors.lies(chunk, with.placeInChunk(slot, chunk)), lane.secondLbaOf(chunk));
                return;
            } else {
                with.reading(slot, chunk);
                readAgainOrFail(slot);
                return;
            }
        }
        if (!with.wants(slot, chunk)) {
            done(slot);
            return;
        }
        with.turn(slot, chunk);
        failuresOf[slot] = 0;
        states[slot] = SlotState.READY;
        ready.add(slot);
    }

    private void fail(PeerlaneException e, long lba) {
        if (failure == null) {
            failure = Blame.of(e, lane);
            failedLba = lba;
        } else {
            Faults.add(failure, e);
        }
    }

    /** Gives up commands that take too long: aborts them, quarantines their slots, and stops. */
    private void giveUpLateOnes() {
        for (int slot = 0; slot < states.length; slot++) {
            boolean reading = states[slot] == SlotState.READING;
            if ((reading || states[slot] == SlotState.SECOND)
                    && now - sinceOf[slot] > options.commandTimeoutNanos()) {
                BlockPort port = reading ? lane.reader() : lane.second();
                long lba =
                        reading ? lane.readerLbaOf(chunkOf[slot]) : lane.secondLbaOf(chunkOf[slot]);
                String what = errors.command(reading) + " of block " + lba + " of " + port.name();
                states[slot] = SlotState.QUARANTINED;
                readerQuarantined |= reading;
                secondQuarantined |= !reading;
                int number = numberOn(slot, reading);
                fail(Blame.late(port, number, what, options.commandTimeoutNanos()), lba);
            }
        }
    }

    private int numberOn(int slot, boolean reading) {
        boolean paired = stage == SecondStage.MATCH && !reading;
        return lane.firstSlot() + slot + (paired ? lane.geometry().slots() : 0);
    }
}
