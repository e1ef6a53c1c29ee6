package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Geometry;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.hal.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
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

    private final CopyPlan plan;
    private final CopyRequest request;
    private final Clock clock;
    private final Surroundings around;
    private final CancelFlag cancel;
    private final SplittableRandom random;
    private final List<PeerBuffer> buffers = new ArrayList<>();
    private final Watch watch;
    private final Lane[] halves = new Lane[2];
    private final Suspects suspects = new Suspects();
    private final boolean[] controlled = new boolean[2];
    private boolean unsafe;

    /** Counts what the pipeline does. */
    private final class Watch extends HandOffs {
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
        void reading(int slot, long chunk) {
            readFor[slot] = half * halves[0].chunks() + chunk;
            since[slot] = Long.MIN_VALUE;
        }

        @Override
        void equal(int slot) {
            // another chunk was there before, and all of it: else nothing would show
            boolean shows = heldBy[slot] >= 0 && heldBy[slot] != readFor[slot];
            counted += shows ? 1 : 0;
            uncounted += shows ? 0 : 1;
            stale += shows && since[slot] != Long.MIN_VALUE ? 1 : 0;
            heldBy[slot] = readFor[slot];
        }

        @Override
        boolean differs(int slot) {
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
        this.plan = plan;
        this.around = around;
        this.cancel = cancel;
        request = plan.request();
        clock = around.clock();
        random = Poison.words(seed);
        boolean done = false;
        try {
            Lane all = prepare(seed);
            watch = new Watch(all.geometry().slots());
            done = true;
        } finally {
            if (!done) {
                close();
            }
        }
    }

    private Lane prepare(long seed) {
        BufferCandidate candidate = plan.buffer();
        if (candidate == null) {
            throw PeerlaneException.machine(
                    "no-cmb",
                    "no CMB carries data between these two: " + String.join("; ", plan.reasons()),
                    "A litmus test needs one");
        }
        BlockPort target = request.target().port();
        if (!target.limits().canCompare()) {
            throw PeerlaneException.machine(
                    "no-compare",
                    target.name() + " has no Compare command",
                    "Only a target that Compares shows what it finds at the hand-off");
        }
        Geometry geometry = cut(candidate.memory());
        long half = request.bytes() / 2 / geometry.chunkBytes() * geometry.chunkBytes();
        if (half == 0) {
            throw PeerlaneException.request(
                    "scratch-too-small",
                    "a scratch range of %d bytes does not hold two chunks of %d"
                            .formatted(request.bytes(), geometry.chunkBytes()),
                    "Name a longer one: chunks that follow each other in a slot have to differ");
        }
        PeerBuffer buffer =
                candidate
                        .memory()
                        .allocate(geometry.totalBytes(), Geometry.alignOf(candidate.memory()));
        buffers.add(buffer);
        Lane all = Lane.attach(request, buffer, geometry, 2 * half);
        for (int i = 0; i < 2; i++) {
            halves[i] = all.part(i * half, half);
        }
        pattern(all, seed);
        return all;
    }

    private void pattern(Lane all, long seed) {
        HostMemory.HostBuffer host =
                around.hostMemory().allocate(all.geometry().chunkBytes(), Geometry.PAGE_BYTES);
        buffers.add(host);
        int chunkBytes = all.geometry().chunkBytes();
        int slot = Lane.attachBoth(all.reader(), all.second(), host, 0, chunkBytes, 1);
        LitmusPattern pattern =
                new LitmusPattern(clock, request.options().commandTimeoutNanos(), seed);
        var memory = host.segment().asSlice(0, chunkBytes);
        pattern.write(all.reader(), all.readerLba(), all, slot, memory);
        pattern.write(all.second(), all.secondLba(), all, slot, memory);
    }

    /** Sentinels are there for every fence, so that all of them are tried over the same slots. */
    private Geometry cut(PeerMemory memory) {
        Geometry geometry =
                Geometry.fit(
                        Geometry.freeBytes(memory),
                        Geometry.unitBytes(request),
                        Math.min(
                                request.source().port().limits().maxTransferBytes(),
                                request.target().port().limits().maxTransferBytes()),
                        true,
                        request.options().chunkBytes(),
                        request.options().slots());
        if (geometry == null) {
            throw PeerlaneException.machine(
                    "cmb-too-small",
                    "%d bytes are free in the memory of %s, too few for a slot and a sentinel"
                            .formatted(Geometry.freeBytes(memory), memory.owner()),
                    "Choose another buffer");
        }
        return geometry;
    }

    /** Returns the bytes of one slot. */
    public int chunkBytes() {
        return halves[0].geometry().chunkBytes();
    }

    /** Returns how many slots are used at once. */
    public int slots() {
        return halves[0].geometry().slots();
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
            Fence between = fence(fence);
            for (int half = 0;
                    idle < MAX_IDLE_ROUNDS
                            && watch.counted < handOffs
                            && clock.nanoTime() - start < nanos;
                    half = 1 - half) {
                long before = watch.counted;
                round(between, half);
                idle = watch.counted > before ? 0 : idle + 1;
                progress.update(
                        Progress.Phase.COPY, watch.counted * chunkBytes(), handOffs * chunkBytes());
            }
        } catch (PeerlaneException | InternalError e) {
            stopped = explained(Faults.of(e));
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

    /** One half of the range, once through all of it. */
    private void round(Fence fence, int half) {
        watch.begin(half);
        Pipeline pipeline =
                new Pipeline(
                        halves[half],
                        SecondStage.COMPARE,
                        fence,
                        null,
                        null,
                        clock,
                        request.options(),
                        cancel);
        pipeline.watch(watch);
        if (!controlled[half]) {
            // a target that always says "equal" would make any fence look good
            controlled[half] = true;
            Lane over = halves[half];
            pipeline.control(new Controls(over, over.bytes(), Geometry.unitBytes(request), random));
        }
        try {
            pipeline.run(Progress.NONE, Progress.Phase.COPY);
        } finally {
            unsafe |= pipeline.unsafe();
            pipeline.addSuspects(suspects);
        }
    }

    private PeerlaneException explained(PeerlaneException e) {
        if (!watch.lost || e.category() == Category.INTERRUPTED) {
            return e;
        }
        return new PeerlaneException(
                Category.IO,
                "data-never-arrived",
                "a slot in the memory of %s did not become what %s had Read within %.2f s"
                        .formatted(
                                halves[0].buffer().memory().owner(),
                                halves[0].reader().name(),
                                PATIENCE_NANOS / 1e9),
                "This is no matter of order: peer writes get lost here, or peer reads lie",
                e);
    }

    private Fence fence(FenceChoice choice) {
        Lane over = halves[0];
        return switch (choice) {
            case SENTINEL -> SentinelFence.over(over, request.options(), random);
            case CANARY ->
                    new CanaryFence(over.reader().name(), over.buffer(), over.geometry(), random);
            case READBACK -> new ReadbackFence(over.buffer(), over.geometry());
            case NONE -> new Fence.None(over.geometry().slots());
            case AUTO -> throw new IllegalArgumentException("auto is no fence");
        };
    }

    /**
     * Wipes the memory and gives it back, unless a device could not be stopped.
     *
     * @return what the user must know of that, or null
     */
    public @Nullable String release() {
        close();
        if (unsafe) {
            return "A device could not be stopped and may still write to the memory that was used:"
                    + " it stays taken until that device is reset";
        }
        return null;
    }

    @Override
    public void close() {
        unsafe |= suspects.stop(clock, true) != null;
        if (!unsafe) {
            List<PeerBuffer> open = List.copyOf(buffers);
            buffers.clear();
            open.forEach(b -> Objects.requireNonNull(b).close());
        }
    }
}
