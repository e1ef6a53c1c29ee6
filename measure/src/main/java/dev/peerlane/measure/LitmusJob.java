package dev.peerlane.measure;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.engine.HandOffTrial;
import dev.peerlane.copy.engine.HandOffs;
import dev.peerlane.hal.Clock;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Counts stale hand-offs: how often a fence lets a slot go on that still holds old bytes. The
 * source Reads chunks of a pattern into slots; when the fence hands a slot on, the target Compares
 * it with the same pattern on its own medium, at the moment at which a copy would Write it. The
 * chunks that use a slot one after the other differ in every word, so that any packet that is late
 * shows.
 *
 * <p>Writes to the scratch ranges of the plan and to its memory, nowhere else; the media are
 * written once, however many slots are counted. Runs on the thread that owns its endpoints.
 */
public final class LitmusJob implements AutoCloseable {
    /** Old bytes that last as long as this are no late ones: they never arrive. */
    private static final long PATIENCE_NANOS = 250_000_000L;

    /** In the first round nothing is counted; when nothing is for long, nothing will be. */
    private static final int MAX_IDLE_ROUNDS = 8;

    private final Clock clock;
    private final String source;
    private final String owner;
    private final HandOffTrial trial;
    private final Watch watch;

    /** Counts what the trial does. */
    private final class Watch implements HandOffs {
        private final long[] heldBy;
        private final long[] readFor;
        private final long[] since;
        private int half;
        private long counted;
        private long uncounted;
        private long stale;
        private boolean lost;

        Watch(int slots) {
            heldBy = new long[slots];
            readFor = new long[slots];
            since = new long[slots];
            Arrays.fill(heldBy, -1);
        }

        void begin(int now) {
            half = now;
        }

        void reset() {
            counted = 0;
            uncounted = 0;
            stale = 0;
            lost = false;
            // what a slot holds after another fence's failure is not known
            Arrays.fill(heldBy, -1);
        }

        @Override
        public void reading(int slot, long chunk) {
            readFor[slot] = half * trial.chunksOfHalf() + chunk;
            since[slot] = Long.MIN_VALUE;
        }

        @Override
        public void equal(int slot) {
            // another chunk was there before, and all of it: else nothing would show
            boolean shows = heldBy[slot] >= 0 && heldBy[slot] != readFor[slot];
            counted += shows ? 1 : 0;
            uncounted += shows ? 0 : 1;
            stale += shows && since[slot] != Long.MIN_VALUE ? 1 : 0;
            heldBy[slot] = readFor[slot];
        }

        @Override
        public boolean differs(int slot) {
            long now = clock.nanoTime();
            if (since[slot] == Long.MIN_VALUE) {
                since[slot] = now;
            }
            boolean late = now - since[slot] <= PATIENCE_NANOS;
            lost |= !late;
            return late;
        }
    }

    /**
     * Takes the memory and puts the pattern on both media.
     *
     * @param plan source and target range, both of which are overwritten, and the memory between
     *     them; its fence does not count
     * @param around time and host memory of its endpoints
     * @param cancel asks it to stop
     * @param seed of pattern and fences
     * @throws PeerlaneException if a command fails, the target can't Compare, or the memory or the
     *     range is too small
     */
    public LitmusJob(CopyPlan plan, Surroundings around, CancelFlag cancel, long seed) {
        clock = around.clock();
        trial = new HandOffTrial(plan, around, cancel, seed);
        boolean done = false;
        try {
            source = plan.request().source().port().name();
            owner = Objects.requireNonNull(plan.buffer()).memory().owner();
            pattern(plan.request(), seed);
            watch = new Watch(trial.slots());
            done = true;
        } finally {
            if (!done) {
                close();
            }
        }
    }

    private void pattern(CopyRequest request, long seed) {
        LitmusPattern pattern =
                new LitmusPattern(clock, request.options().commandTimeoutNanos(), seed, trial);
        pattern.write(request.source().port(), request.sourceLba());
        pattern.write(request.target().port(), request.targetLba());
    }

    /** Returns the bytes of one slot. */
    public int chunkBytes() {
        return trial.chunkBytes();
    }

    /** Returns how many slots are used at once. */
    public int slots() {
        return trial.slots();
    }

    /**
     * Counts with one fence, whatever the planner thinks of it.
     *
     * @param fence any but AUTO
     * @param handOffs how many to count
     * @param nanos how long at most, on the fabric's clock
     * @param progress is told bytes that were handed on
     * @return what was counted, also where something ended it early: then the cause is in it
     */
    public LitmusCount count(FenceChoice fence, long handOffs, long nanos, Progress progress) {
        watch.reset();
        PeerlaneException stopped = null;
        long start = clock.nanoTime();
        int idle = 0;
        try {
            trial.fence(fence);
            for (int half = 0;
                    idle < MAX_IDLE_ROUNDS
                            && watch.counted < handOffs
                            && clock.nanoTime() - start < nanos;
                    half = 1 - half) {
                long before = watch.counted;
                watch.begin(half);
                trial.round(half, watch);
                idle = watch.counted > before ? 0 : idle + 1;
                progress.update(
                        Progress.Phase.COPY, watch.counted * chunkBytes(), handOffs * chunkBytes());
            }
        } catch (PeerlaneException e) {
            stopped = explained(e);
        }
        double seconds = (clock.nanoTime() - start) / 1e9;
        if (stopped == null && (watch.counted == 0 || idle == MAX_IDLE_ROUNDS)) {
            stopped =
                    PeerlaneException.io(
                            "nothing-measured",
                            "no slot with fence %s was handed on over other bytes: %d were not"
                                            .formatted(fence.label(), watch.uncounted)
                                    + " counted",
                            "Ask for more slots or more time");
        }
        return LitmusCount.of(
                fence.label(), watch.counted, watch.uncounted, watch.stale, seconds, stopped);
    }

    private PeerlaneException explained(PeerlaneException e) {
        if (!watch.lost || e.category() == Category.INTERRUPTED) {
            return e;
        }
        return new PeerlaneException(
                Category.IO,
                "data-never-arrived",
                "a slot in the memory of %s did not become what %s had Read within %.2f s"
                        .formatted(owner, source, PATIENCE_NANOS / 1e9),
                "This is no matter of order: peer writes get lost here, or peer reads lie",
                e);
    }

    /**
     * Wipes the memory and gives it back, unless a device could not be stopped.
     *
     * @return what the user must know of that, or null
     */
    public @Nullable String release() {
        close();
        if (trial.isUnsafe()) {
            return "A device could not be stopped and may still write to the memory that was used:"
                    + " it stays taken until that device is reset";
        }
        return null;
    }

    @Override
    public void close() {
        trial.close();
    }
}
