package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.hal.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;

/**
 * Runs hand-offs of slots for an observer to count. The source of a plan Reads chunks into slots of
 * the plan's memory, a fence hands the slots on, and the target Compares each with its own medium
 * at the moment at which a copy would Write it. A {@link HandOffs} observes each hand-off.
 *
 * <p>The range has two halves that are run in turn, so that two successive chunks in a slot never
 * have the same data. No medium is written. Runs on the thread that owns the plan's endpoints.
 */
public final class HandOffTrial implements AutoCloseable {
    private final CopyRequest request;
    private final Surroundings around;
    private final Clock clock;
    private final CancelFlag cancel;
    private final SplittableRandom random;
    private final List<PeerBuffer> buffers = new ArrayList<>();
    private final Lane all;
    private final Lane[] halves = new Lane[2];
    private final Suspects suspects = new Suspects();
    private final boolean[] controlled = new boolean[2];
    private Fence fence;
    private boolean unsafe;

    /**
     * Allocates the memory of a plan and attaches its slots to both ports.
     *
     * @param plan source and target range, and the memory between them; its fence is ignored
     * @param around time and host memory of its endpoints
     * @param cancel stops the trial
     * @param seed the seed of the fences' random words
     * @throws PeerlaneException if the target can't Compare, or the memory or the range is too
     *     small
     */
    public HandOffTrial(CopyPlan plan, Surroundings around, CancelFlag cancel, long seed) {
        this.around = around;
        this.cancel = cancel;
        request = plan.request();
        clock = around.clock();
        random = Poison.words(seed);
        all = attach(plan);
        long half = all.bytes() / 2;
        for (int i = 0; i < 2; i++) {
            halves[i] = all.part(i * half, half);
        }
        fence = new Fence.None(slots());
    }

    private Lane attach(CopyPlan plan) {
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
        boolean done = false;
        try {
            Lane lane = Lane.attach(request, buffer, geometry, 2 * half);
            done = true;
            return lane;
        } finally {
            if (!done) {
                close();
            }
        }
    }

    /**
     * Cuts the memory. Sentinels are always included, so that all fences are tried over the same
     * slots.
     */
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

    /** Returns the bytes of one slot, which are those of one chunk. */
    public int chunkBytes() {
        return all.geometry().chunkBytes();
    }

    /** Returns the number of slots in use. */
    public int slots() {
        return all.geometry().slots();
    }

    /** Returns the number of chunks in each half of the range. */
    public long chunksOfHalf() {
        return halves[0].chunks();
    }

    /** Allocates host memory for one chunk. {@link #close} releases it. */
    public HostMemory.HostBuffer hostChunk() {
        HostMemory.HostBuffer host =
                around.hostMemory().allocate(chunkBytes(), Geometry.PAGE_BYTES);
        buffers.add(host);
        return host;
    }

    /**
     * Sets the fence of the following rounds, whether or not the planner would choose it.
     *
     * @param choice any but AUTO
     * @throws PeerlaneException if the memory does not keep what the fence stores
     */
    public void fence(FenceChoice choice) {
        try {
            fence = made(choice);
        } catch (InternalError e) {
            throw Faults.of(e);
        }
    }

    private Fence made(FenceChoice choice) {
        Lane over = halves[0];
        return switch (choice) {
            case SENTINEL -> SentinelFence.over(over, request.options(), random);
            case CANARY ->
                    new CanaryFence(over.reader().name(), over.buffer(), over.geometry(), random);
            case READBACK -> new ReadbackFence(over.buffer(), over.geometry());
            case NONE -> new Fence.None(over.geometry().slots());
            case AUTO -> throw new IllegalArgumentException("AUTO is not a fence");
        };
    }

    /**
     * Runs once through one half of the range.
     *
     * @param half 0 or 1
     * @param watch observes each hand-off
     * @throws PeerlaneException if a command fails, a fence finds that data never arrived, or the
     *     trial was cancelled
     */
    public void round(int half, HandOffs watch) {
        try {
            run(half, watch);
        } catch (InternalError e) {
            throw Faults.of(e);
        }
    }

    private void run(int half, HandOffs watch) {
        Pipeline pipeline =
                new Pipeline(
                        halves[half], SecondStage.COMPARE, fence, clock, request.options(), cancel);
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

    /**
     * Returns the error of a device of this trial if one caused the error; else the error itself.
     */
    public PeerlaneException blamed(PeerlaneException seen) {
        return Blame.of(seen, all);
    }

    /** Returns whether a device could not be stopped, so that its memory was not released. */
    public boolean isUnsafe() {
        return unsafe;
    }

    /** Wipes the memory and releases it, unless a device could not be stopped. */
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
