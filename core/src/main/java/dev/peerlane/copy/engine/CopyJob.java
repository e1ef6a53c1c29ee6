package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.VerifyMethod;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.parts.FlightRecordings;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Runs one plan: allocates the memory, copies, flushes, verifies, wipes, and writes the receipt. A
 * job runs once, on the thread that owns its endpoints.
 */
public final class CopyJob {
    private final CopyPlan plan;
    private final CopyRequest request;
    private final Surroundings around;
    private final Clock clock;
    private final CancelFlag cancel;
    private final RandomGenerator random;
    private final Workspace space;
    private final Verification verification;
    private final List<String> notes;

    private Receipt.@Nullable Buffer carrier;
    private @Nullable Lane lane;
    private @Nullable Pipeline copy;
    private @Nullable Tuner tuner;
    private double steadyRate;
    private long doneBefore;
    private @Nullable String sourceCondition;
    private @Nullable String targetCondition;
    private boolean copied;
    private boolean flushFailed;
    private final List<Lane> pieces = new ArrayList<>();
    private double seconds;
    private double cpuSeconds;
    private int flushStatus;
    private Fences fences = this::fence;

    /** Creates the fence of the copy. */
    interface Fences {
        Fence over(Lane lane);
    }

    /**
     * Creates a job.
     *
     * @param plan the plan to run
     * @param around time and host memory of its endpoints
     * @param cancel stops the job
     */
    public CopyJob(CopyPlan plan, Surroundings around, CancelFlag cancel) {
        this.plan = plan;
        this.around = around;
        this.cancel = cancel;
        request = plan.request();
        clock = around.clock();
        notes = new ArrayList<>(plan.announcements());
        Long seed = request.options().seed();
        random = Poison.words(seed != null ? seed : new SecureRandom().nextLong());
        space = new Workspace(request, clock);
        verification = new Verification(plan, around, cancel, random, space);
    }

    /** Replaces the plan's fence by another one, sound or not, to show what a fence is good for. */
    void fences(Fences other) {
        fences = other;
    }

    /**
     * Copies and verifies.
     *
     * @return the receipt of a copy of which every byte was moved and, if requested, verified
     * @throws CopyException if the copy failed; its receipt names what was copied. Then nothing is
     *     in flight, and the memory is wiped and released. If a device can't be stopped, its memory
     *     stays allocated, and the receipt says so
     */
    public Receipt run(Progress progress) {
        CopyEvent event = FlightRecordings.areOn() ? CopyEvent.begin(plan) : null;
        long hostBefore = hostData();
        PeerlaneException failure = null;
        try {
            copy(progress);
            copied = true;
            verification.run(pieces, progress);
        } catch (PeerlaneException | InternalError e) {
            failure = told(Faults.of(e));
            lookAtDevices();
            flushWhatIsWritten(failure);
        }
        failure = space.release(failure, notes);
        if (failure != null && sourceCondition == null) {
            lookAtDevices();
        }
        Receipt receipt = receipt(failure, hostBefore);
        if (event != null) {
            event.over(receipt);
        }
        if (failure != null) {
            throw new CopyException(failure, receipt);
        }
        return receipt;
    }

    /**
     * Adds to an interruption how far the copy came, since commands that were in flight have ended
     * meanwhile.
     */
    private PeerlaneException told(PeerlaneException failure) {
        if (failure.category() != Category.INTERRUPTED) {
            return failure;
        }
        long bytes = request.bytes();
        boolean checks = doneBytes() == bytes && plan.verify() != VerifyMethod.NONE;
        return new PeerlaneException(
                Category.INTERRUPTED,
                failure.code(),
                checks
                        ? "all %d bytes are copied; the verification was stopped on request after %d"
                                .formatted(bytes, verification.doneBytes())
                        : "stopped on request after %d of %d bytes".formatted(doneBytes(), bytes),
                checks ? "Copy again to verify all of it" : "The receipt names what was copied",
                failure);
    }

    private void lookAtDevices() {
        sourceCondition = request.source().port().condition();
        targetCondition = request.target().port().condition();
    }

    private void copy(Progress progress) {
        long started = clock.nanoTime();
        long cpuStarted = CpuTime.nanos();
        BufferCandidate candidate = plan.buffer();
        PeerMemory memory = candidate == null ? around.hostMemory() : candidate.memory();
        boolean sentinels =
                plan.fence().equals(FenceChoice.SENTINEL.label()) || plan.verifySharesBuffer();
        Geometry geometry = space.cut(memory, sentinels);
        PeerBuffer buffer = space.take(memory, geometry.totalBytes());
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
        Tuner tunes = new Tuner(geometry, request.options(), Geometry.unitBytes(request), longest);
        tuner = tunes;
        try {
            while (doneBytes() < request.bytes()) {
                piece(buffer, tunes, progress);
            }
            flush(target);
        } finally {
            seconds = (clock.nanoTime() - started) / 1e9;
            cpuSeconds = (CpuTime.nanos() - cpuStarted) / 1e9;
        }
    }

    /** Copies the rest, or as much of it as one try of the tuner takes. */
    private void piece(PeerBuffer buffer, Tuner tunes, Progress progress) {
        long started = clock.nanoTime();
        long before = doneBytes();
        BlockPort source = request.source().port();
        BlockPort target = request.target().port();
        Geometry geometry = tunes.geometry();
        Lane over = lane;
        if (over == null || !over.geometry().equals(geometry)) {
            over = Lane.attach(request, buffer, geometry, request.bytes());
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
                        clock,
                        request.options(),
                        cancel);
        doneBefore = before;
        lane = over;
        copy = pipeline;
        Meter meter = tunes.meter(over.chunks(), started);
        pipeline.measure(meter);
        space.run(
                pipeline,
                (phase, done, total) -> progress.update(phase, before + done, request.bytes()),
                Progress.Phase.COPY);
        if (doneBytes() > before) {
            pieces.add(over.part(0, doneBytes() - before));
        }
        steadyRate = meter.chunksPerSecond() * geometry.chunkBytes();
        if (doneBytes() < request.bytes()) {
            tunes.took(steadyRate, clock.nanoTime() - started);
        }
    }

    private long doneBytes() {
        return copy == null ? 0 : doneBefore + copy.doneBytes();
    }

    private Fence fence(Lane over) {
        if (plan.fence().equals(FenceChoice.SENTINEL.label())) {
            return SentinelFence.over(over, request.options(), random);
        }
        if (plan.fence().equals(FenceChoice.CANARY.label())) {
            return new CanaryFence(over.reader().name(), over.buffer(), over.geometry(), random);
        }
        return plan.fence().equals(FenceChoice.READBACK.label())
                ? new ReadbackFence(over.buffer(), over.geometry())
                : new Fence.None(over.geometry().slots());
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
            PeerlaneException seen =
                    PeerlaneException.io(
                            "flush-failed",
                            "the Flush of %s %s"
                                    .formatted(
                                            target.name(),
                                            ended
                                                    ? "ended with " + target.describe(flushStatus)
                                                    : "did not end in time"),
                            "What was written may be lost at a power failure: check the device");
            PeerlaneException told = Blame.of(seen, Objects.requireNonNull(lane));
            flushFailed = told == seen;
            throw told;
        }
    }

    /**
     * Flushes what a failed copy wrote, so that the blocks it names as copied are as durable as
     * those of a successful one.
     */
    private void flushWhatIsWritten(PeerlaneException failure) {
        if (copied || doneBytes() == 0 || flushFailed) {
            return;
        }
        try {
            if (BlockPort.READY.equals(targetCondition)) {
                flush(request.target().port());
                return;
            }
        } catch (PeerlaneException | IllegalStateException | InternalError e) {
            Faults.add(failure, e);
        }
        notes.add(
                "What was written was not flushed: until the target is shut down in order, it may"
                        + " be lost at a power failure");
    }

    private Receipt receipt(@Nullable PeerlaneException failure, long hostBefore) {
        Geometry geometry = lane == null ? null : lane.geometry();
        long bytes = doneBytes();
        long host = hostData();
        return new Receipt(
                Receipt.SCHEMA,
                failure == null ? "ok" : "failed",
                side(request.source(), request.sourceLba(), request.bytes()),
                side(request.target(), request.targetLba(), request.bytes()),
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
                        plan.verify().label(),
                        verification.result(),
                        verification.granularity(),
                        verification.controls(),
                        verification.seconds()),
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
                                space.failedLba() < 0 ? null : space.failedLba(),
                                sourceCondition,
                                targetCondition));
    }

    private static Receipt.Side side(Endpoint endpoint, long lba, long bytes) {
        int blockBytes = endpoint.port().limits().blockBytes();
        return new Receipt.Side(
                endpoint.locator(),
                endpoint.serial(),
                endpoint.model(),
                endpoint.nsid(),
                lba,
                bytes / blockBytes,
                blockBytes);
    }

    private Receipt.Tuning tuning() {
        int depth = lane == null ? 0 : lane.geometry().readDepth();
        return tuner == null
                ? new Receipt.Tuning(depth, 0, 0, List.of())
                : new Receipt.Tuning(depth, tuner.spentNanos() / 1e9, steadyRate, tuner.tried());
    }

    private List<Receipt.Range> ranges() {
        return copy == null || lane == null
                ? List.of()
                : CopiedRanges.of(lane, copy.log(), request.targetLba(), doneBefore);
    }

    private long hostData() {
        return around.hostDataBytes().orElse(-1);
    }
}
