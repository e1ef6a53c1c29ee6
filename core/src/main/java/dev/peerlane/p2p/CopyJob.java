package dev.peerlane.p2p;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.TrafficCounters;
import java.lang.management.ManagementFactory;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Runs one plan: takes the memory, copies, flushes, verifies, wipes, and writes the receipt. Runs
 * once, on the thread that owns the fabric.
 */
public final class CopyJob {
    private static final int MAX_RANGES = 64;

    private final CopyPlan plan;
    private final CopyRequest request;
    private final Fabric fabric;
    private final Clock clock;
    private final CancelFlag cancel;
    private final RandomGenerator random;
    private final List<PeerBuffer> buffers = new ArrayList<>();
    private final List<String> notes;

    private Receipt.@Nullable Buffer carrier;
    private @Nullable Lane lane;
    private @Nullable Pipeline copy;
    private @Nullable Tuner tuner;
    private long doneBefore;
    private long failedLba = -1;
    private @Nullable String sourceCondition;
    private @Nullable String targetCondition;
    private boolean unsafe;
    private boolean copied;
    private double seconds;
    private double cpuSeconds;
    private double verifySeconds;
    private String verifyResult = "not run";
    private int flushStatus;
    private Fences fences = this::fence;

    /** Makes the fence of the copy. */
    interface Fences {
        Fence over(Lane lane);
    }

    /**
     * Creates a job.
     *
     * @param plan what to do
     * @param fabric the fabric of its devices
     * @param cancel asks it to stop
     */
    public CopyJob(CopyPlan plan, Fabric fabric, CancelFlag cancel) {
        this.plan = plan;
        this.fabric = fabric;
        this.cancel = cancel;
        request = plan.request();
        clock = fabric.clock();
        notes = new ArrayList<>(plan.announcements());
        Long seed = request.options().seed();
        random = new SplittableRandom(seed != null ? seed : new SecureRandom().nextLong());
    }

    /**
     * Has the copy use another fence than the plan's, sound or not: to show what it is good for.
     */
    void fences(Fences other) {
        fences = other;
    }

    /**
     * Copies and verifies.
     *
     * @return the receipt of a copy of which every byte was moved and, if asked, checked
     * @throws CopyException if it stopped; its receipt tells how far it came. Nothing is in flight
     *     then, and the memory is wiped and given back, unless a device can't be stopped: that is
     *     said
     */
    public Receipt run(Progress progress) {
        long hostBefore = hostData();
        PeerlaneException failure = null;
        try {
            copy(progress);
            copied = true;
            verify(progress);
        } catch (PeerlaneException | InternalError e) {
            failure = Faults.of(e);
            lookAtDevices();
            if (copied) {
                verifyResult = "failed";
            }
        }
        failure = release(failure);
        if (failure != null && sourceCondition == null) {
            lookAtDevices();
        }
        Receipt receipt = receipt(failure, hostBefore);
        if (failure != null) {
            throw new CopyException(failure, receipt);
        }
        return receipt;
    }

    private void lookAtDevices() {
        sourceCondition = request.source().port().condition();
        targetCondition = request.target().port().condition();
    }

    private void copy(Progress progress) {
        long started = clock.nanoTime();
        long cpuStarted = cpuNanos();
        BufferCandidate candidate = plan.buffer();
        PeerMemory memory = candidate == null ? new HostMemory(fabric.dma()) : candidate.memory();
        boolean sentinels = plan.hasSentinels() || plan.verifySharesBuffer();
        Geometry geometry = cut(memory, sentinels);
        PeerBuffer buffer = take(memory, geometry.totalBytes());
        carrier =
                new Receipt.Buffer(
                        plan.kind().label(),
                        candidate == null ? null : candidate.locator(),
                        "0x%x".formatted(buffer.busAddress()),
                        buffer.sizeBytes());
        BlockPort source = request.source().port();
        BlockPort target = request.target().port();
        int longest =
                Math.min(source.limits().maxTransferBytes(), target.limits().maxTransferBytes());
        Tuner tunes = new Tuner(geometry, request.options(), Planner.unitBytes(request), longest);
        tuner = tunes;
        try {
            while (doneBytes() < request.bytes()) {
                piece(buffer, tunes, progress);
            }
            flush(target);
        } finally {
            seconds = (clock.nanoTime() - started) / 1e9;
            cpuSeconds = (cpuNanos() - cpuStarted) / 1e9;
        }
    }

    /** Copies what is left, or as much of it as one of the tuner's tries takes. */
    private void piece(PeerBuffer buffer, Tuner tunes, Progress progress) {
        long started = clock.nanoTime();
        long before = doneBytes();
        BlockPort source = request.source().port();
        BlockPort target = request.target().port();
        Geometry geometry = tunes.geometry();
        Lane over = lane;
        if (over == null || !over.geometry().equals(geometry)) {
            over =
                    Lane.attach(
                            source,
                            request.sourceLba(),
                            target,
                            request.targetLba(),
                            buffer,
                            geometry,
                            request.bytes());
        }
        over =
                over.rest(
                        request.sourceLba() + before / source.limits().blockBytes(),
                        request.targetLba() + before / target.limits().blockBytes(),
                        request.bytes() - before);
        Pipeline pipeline =
                new Pipeline(
                        over,
                        SecondStage.WRITE,
                        fences.over(over),
                        null,
                        null,
                        clock,
                        request.options(),
                        cancel);
        doneBefore = before;
        lane = over;
        copy = pipeline;
        Meter meter =
                tunes.tries()
                        ? new Meter(geometry, over.chunks(), tunes.worthNanos(), started)
                        : null;
        if (meter != null) {
            pipeline.measure(meter);
        }
        run(
                pipeline,
                (phase, done, total) -> progress.update(phase, before + done, request.bytes()),
                Progress.Phase.COPY);
        if (meter != null && doneBytes() < request.bytes()) {
            tunes.took(meter.chunksPerSecond() * geometry.chunkBytes(), clock.nanoTime() - started);
        }
    }

    private long doneBytes() {
        return copy == null ? 0 : doneBefore + copy.doneBytes();
    }

    private void run(Pipeline pipeline, Progress progress, Progress.Phase phase) {
        try {
            pipeline.run(progress, phase);
        } finally {
            unsafe |= pipeline.unsafe();
            failedLba = pipeline.failedLba();
        }
    }

    private void verify(Progress progress) {
        long started = clock.nanoTime();
        try {
            switch (plan.verify()) {
                case NONE -> {
                    return;
                }
                case HOST -> verifyThroughHost(progress);
                case TARGET_COMPARE -> compare(request.source(), request.target(), false, progress);
                case SOURCE_COMPARE -> compare(request.target(), request.source(), false, progress);
                case CONTROLLED_COMPARE ->
                        compare(request.source(), request.target(), true, progress);
            }
            verifyResult = "ok";
        } finally {
            verifySeconds = (clock.nanoTime() - started) / 1e9;
        }
    }

    private void compare(Endpoint reader, Endpoint owner, boolean controlled, Progress progress) {
        Lane over = verifyLane(reader, owner);
        ControlCompare control =
                controlled ? ControlCompare.over(over, clock, request.options(), random) : null;
        if (control != null) {
            control(control, owner.port());
        }
        Pipeline pipeline =
                new Pipeline(
                        over,
                        SecondStage.COMPARE,
                        sentinelFence(over),
                        new Poison(over.buffer(), over.geometry(), random),
                        null,
                        clock,
                        request.options(),
                        cancel);
        run(pipeline, progress, Progress.Phase.VERIFY);
        if (control != null) {
            control(control, owner.port());
        }
    }

    /** A control Compare that did not end may still read the memory. */
    private void control(ControlCompare compare, BlockPort port) {
        try {
            compare.run();
        } catch (PeerlaneException | InternalError e) {
            if (port.inFlight() > 0) {
                try {
                    port.quiesce();
                } catch (PeerlaneException | InternalError stuck) {
                    unsafe = true;
                    e.addSuppressed(stuck);
                }
            }
            throw e;
        }
    }

    /** The same slots as the copy's where the memory is the same, with the parts exchanged. */
    private Lane verifyLane(Endpoint reader, Endpoint second) {
        Lane used = Objects.requireNonNull(lane);
        if (plan.verifySharesBuffer() && used.geometry().sentinels() > 0) {
            return new Lane(
                    reader.port(),
                    lbaOf(reader),
                    second.port(),
                    lbaOf(second),
                    used.buffer(),
                    used.geometry(),
                    used.firstSlot(),
                    request.bytes());
        }
        PeerMemory memory = Objects.requireNonNull(plan.verifyBuffer()).memory();
        Geometry geometry = cut(memory, true);
        return Lane.attach(
                reader.port(),
                lbaOf(reader),
                second.port(),
                lbaOf(second),
                take(memory, geometry.totalBytes()),
                geometry,
                request.bytes());
    }

    private void verifyThroughHost(Progress progress) {
        HostMemory memory = new HostMemory(fabric.dma());
        Geometry geometry = cut(memory, false);
        long half = geometry.totalBytes();
        HostMemory.HostBuffer buffer = memory.allocate(2 * half, Geometry.PAGE_BYTES);
        buffers.add(buffer);
        Geometry doubled = new Geometry(geometry.chunkBytes(), 2 * geometry.slots(), 0, 0);
        BlockPort source = request.source().port();
        BlockPort target = request.target().port();
        Lane both =
                Lane.attach(
                        source,
                        request.sourceLba(),
                        target,
                        request.targetLba(),
                        buffer,
                        doubled,
                        request.bytes());
        Lane over =
                new Lane(
                        source,
                        request.sourceLba(),
                        target,
                        request.targetLba(),
                        buffer,
                        geometry,
                        both.firstSlot(),
                        request.bytes());
        Poison poison = new Poison(buffer, doubled, random);
        Pipeline pipeline =
                new Pipeline(
                        over,
                        SecondStage.MATCH,
                        new Fence.None(geometry.slots()),
                        poison,
                        new HostMatch(buffer.segment(), geometry, poison),
                        clock,
                        request.options(),
                        cancel);
        run(pipeline, progress, Progress.Phase.VERIFY);
    }

    private long lbaOf(Endpoint side) {
        return side.equals(request.source()) ? request.sourceLba() : request.targetLba();
    }

    private Geometry cut(PeerMemory memory, boolean fenced) {
        Geometry geometry = Planner.geometry(request, memory.largestFreeBytes(), fenced);
        if (geometry == null) {
            throw PeerlaneException.machine(
                    "cmb-too-small",
                    "%d bytes are free in the memory of %s, too few for a slot"
                            .formatted(memory.largestFreeBytes(), memory.owner()),
                    "Choose another buffer");
        }
        return geometry;
    }

    private PeerBuffer take(PeerMemory memory, long bytes) {
        PeerBuffer buffer = memory.allocate(bytes, Math.min(Geometry.PAGE_BYTES, fitAlign(memory)));
        buffer.wipeOnClose(request.options().wipe());
        buffers.add(buffer);
        return buffer;
    }

    private static long fitAlign(PeerMemory memory) {
        return memory.largestFreeBytes() < Geometry.PAGE_BYTES ? 8 : Geometry.PAGE_BYTES;
    }

    private Fence fence(Lane over) {
        if (plan.hasSentinels()) {
            return sentinelFence(over);
        }
        if (plan.fence().equals(FenceChoice.CANARY.label())) {
            return new CanaryFence(over.reader().name(), over.buffer(), over.geometry(), random);
        }
        return plan.fence().equals(FenceChoice.READBACK.label())
                ? new ReadbackFence(over.buffer(), over.geometry())
                : new Fence.None(over.geometry().slots());
    }

    private SentinelFence sentinelFence(Lane over) {
        return new SentinelFence(
                over.reader(),
                over.buffer(),
                over.geometry(),
                over.firstSlot() + over.geometry().slots(),
                request.options(),
                random);
    }

    private void flush(BlockPort target) {
        if (!target.limits().canFlush()) {
            return;
        }
        flushStatus = -1;
        Completions onFlush =
                new Completions() {
                    @Override
                    public void completed(int slot, int status) {
                        flushStatus = status;
                    }
                };
        if (!target.submitFlush()) {
            throw new IllegalStateException("the queue is full though nothing is in flight");
        }
        target.ring();
        boolean ended =
                clock.await(
                        () -> target.poll(1, onFlush) > 0, request.options().commandTimeoutNanos());
        if (!ended || flushStatus != 0) {
            throw PeerlaneException.io(
                    "flush-failed",
                    "the Flush of %s %s"
                            .formatted(
                                    target.name(),
                                    ended
                                            ? "ended with " + target.describe(flushStatus)
                                            : "did not end in time"),
                    "What was written may be lost at a power failure: check the device");
        }
    }

    private @Nullable PeerlaneException release(@Nullable PeerlaneException failure) {
        PeerlaneException first = failure;
        if (unsafe) {
            notes.add(
                    "A device could not be stopped and may still write to the memory that carried"
                            + " the data: it stays taken until that device is reset");
            return first;
        }
        for (PeerBuffer buffer : buffers) {
            try {
                buffer.close();
            } catch (PeerlaneException | InternalError e) {
                if (first == null) {
                    first = Faults.of(e);
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        return first;
    }

    private Receipt receipt(@Nullable PeerlaneException failure, long hostBefore) {
        Geometry geometry = lane == null ? null : lane.geometry();
        long bytes = doneBytes();
        long host = hostData();
        return new Receipt(
                Receipt.SCHEMA,
                failure == null ? "ok" : "failed",
                Receipt.Side.of(request.source(), request.sourceLba(), request.bytes()),
                Receipt.Side.of(request.target(), request.targetLba(), request.bytes()),
                carrier,
                plan.legs(),
                plan.fence(),
                geometry == null ? 0 : geometry.chunkBytes(),
                geometry == null ? 0 : geometry.slots(),
                tuning(),
                bytes,
                ranges(),
                host < 0 ? null : host - hostBefore,
                new Receipt.Verification(
                        plan.verify().label(), verifyResult, granularity(), verifySeconds),
                seconds,
                seconds > 0 ? bytes / seconds : 0,
                cpuSeconds,
                notes,
                failure == null
                        ? null
                        : new Receipt.Failure(
                                failure.code(),
                                String.valueOf(failure.getMessage()),
                                failure.remedy(),
                                failedLba < 0 ? null : failedLba,
                                sourceCondition,
                                targetCondition));
    }

    private Receipt.Tuning tuning() {
        int depth = lane == null ? 0 : lane.geometry().readDepth();
        return tuner == null
                ? new Receipt.Tuning(depth, 0, List.of())
                : new Receipt.Tuning(depth, tuner.spentNanos() / 1e9, tuner.tried());
    }

    private String granularity() {
        return switch (plan.verify()) {
            case NONE -> "nothing";
            case HOST -> "every byte, both sides read through host memory";
            case TARGET_COMPARE, SOURCE_COMPARE, CONTROLLED_COMPARE ->
                    "every byte by Compare; a lost peer write by the page";
        };
    }

    /** Which blocks of the target are written, from the chunks that are done. */
    private List<Receipt.Range> ranges() {
        List<Receipt.Range> ranges = new ArrayList<>();
        Lane over = lane;
        if (copy == null || over == null) {
            return ranges;
        }
        if (doneBefore > 0) {
            long before = doneBefore / over.second().limits().blockBytes();
            ranges.add(new Receipt.Range(request.targetLba(), before));
        }
        ChunkLog log = copy.log();
        int blockBytes = over.second().limits().blockBytes();
        long end = Math.min(over.chunks(), log.low() + ChunkLog.WINDOW);
        long start = -1;
        for (long chunk = Math.max(0, log.low() - 1); chunk <= end; chunk++) {
            boolean done = chunk < end && log.isDone(chunk);
            if (done && start < 0) {
                start = chunk < log.low() ? 0 : chunk;
            } else if (!done && start >= 0) {
                if (ranges.size() < MAX_RANGES) {
                    boolean follows = start == 0 && !ranges.isEmpty();
                    long first = follows ? ranges.removeFirst().slba() : over.secondLbaOf(start);
                    long last = over.secondLbaOf(chunk - 1);
                    long tail = over.chunkLength(chunk - 1) / blockBytes;
                    ranges.add(new Receipt.Range(first, last + tail - first));
                }
                start = -1;
            }
        }
        return ranges;
    }

    private long hostData() {
        return fabric.traffic().map(TrafficCounters::total).map(t -> t.hostData()).orElse(-1L);
    }

    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
