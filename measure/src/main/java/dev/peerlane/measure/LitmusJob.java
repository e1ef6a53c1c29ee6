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
 * Counts stale hand-offs: how often a fence hands on a slot that still holds old bytes. The source
 * Reads chunks of a pattern into slots. When the fence hands a slot on, the target Compares it with
 * the same pattern on its own medium, at the moment at which a copy would Write it. Successive
 * chunks in a slot differ in every word, so that any late packet shows.
 *
 * <p>A job writes to the scratch ranges of the plan and to the plan's memory, nowhere else. The
 * media are written once, however many hand-offs are counted. Runs on the thread that owns its
 * endpoints.
 */
public final class LitmusJob implements AutoCloseable {
    /** Data that has not arrived after this time is not late but lost. */
    private static final long PATIENCE_NANOS = 250_000_000L;

    /**
     * The first round never counts anything; after this many rounds without a count the job gives
     * up.
     */
    private static final int MAX_IDLE_ROUNDS = 8;

    private final Clock clock;
    private final String source;
    private final String owner;
    private final HandOffTrial trial;
    private final Watch watch;

    /** Observes and counts the hand-offs of the trial. */
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
            // the content of a slot after another fence's failure is unknown
            Arrays.fill(heldBy, -1);
        }

        @Override
        public void reading(int slot, long chunk) {
            readFor[slot] = half * trial.chunksOfHalf() + chunk;
            since[slot] = Long.MIN_VALUE;
        }

        @Override
        public void equal(int slot) {
            // a late packet shows only if the slot was full with another chunk before
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
     * Allocates the memory, and writes the pattern to both media.
     *
     * @param plan source and target range, both of which are overwritten, and the memory between
     *     them; its fence is ignored
     * @param around time and host memory of its endpoints
     * @param cancel stops the job
     * @param seed the seed of pattern and fences
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

    /** Returns the number of slots in use. */
    public int slots() {
        return trial.slots();
    }

    /**
     * Counts the hand-offs of one fence, whether or not the planner would choose it.
     *
     * @param fence any but AUTO
     * @param handOffs number of hand-offs to count
     * @param nanos longest duration, by the fabric's clock
     * @param progress called with the bytes that were handed on
     * @return the counts; if something ended the count early, they include the cause
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
                            "fence %s handed on no slot in which old bytes would show: %d were not"
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
                "This is not a matter of ordering: peer writes get lost here, or peer reads lie",
                e);
    }

    /**
     * Wipes the memory and releases it, unless a device could not be stopped.
     *
     * @return what the user must be told about the memory, or null
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
