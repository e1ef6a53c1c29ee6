package dev.peerlane.p2p;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.Fabric;
import java.util.Objects;
import java.util.random.RandomGenerator;

/** Checks a copy as its plan says: reads every chunk again and has it compared. */
final class Verification {
    private final CopyPlan plan;
    private final CopyRequest request;
    private final Fabric fabric;
    private final Clock clock;
    private final CancelFlag cancel;
    private final RandomGenerator random;
    private final Workspace space;
    private String result = "not run";
    private double seconds;

    Verification(
            CopyPlan plan,
            Fabric fabric,
            CancelFlag cancel,
            RandomGenerator random,
            Workspace space) {
        this.plan = plan;
        this.fabric = fabric;
        this.cancel = cancel;
        this.random = random;
        this.space = space;
        request = plan.request();
        clock = fabric.clock();
    }

    /** Returns {@code ok}, {@code failed} or {@code not run}. */
    String result() {
        return result;
    }

    double seconds() {
        return seconds;
    }

    /** Returns what kind of difference it finds. */
    String granularity() {
        return switch (plan.verify()) {
            case NONE -> "nothing";
            case HOST -> "every byte, both sides read through host memory";
            case TARGET_COMPARE, SOURCE_COMPARE, CONTROLLED_COMPARE ->
                    "every byte by Compare; a lost peer write by the page";
        };
    }

    /**
     * Runs it.
     *
     * @param used what the copy ran over
     * @throws PeerlaneException if the copy is not good, or the check can't be made
     */
    void run(Lane used, Progress progress) {
        if (plan.verify() == VerifyMethod.NONE) {
            return;
        }
        long started = clock.nanoTime();
        result = "failed";
        try {
            switch (plan.verify()) {
                case NONE -> {}
                case HOST -> throughHost(progress);
                case TARGET_COMPARE ->
                        compare(used, request.source(), request.target(), false, progress);
                case SOURCE_COMPARE ->
                        compare(used, request.target(), request.source(), false, progress);
                case CONTROLLED_COMPARE ->
                        compare(used, request.source(), request.target(), true, progress);
            }
            result = "ok";
        } finally {
            seconds = (clock.nanoTime() - started) / 1e9;
        }
    }

    private void compare(
            Lane used, Endpoint reader, Endpoint owner, boolean controlled, Progress progress) {
        Lane over = lane(used, reader, owner);
        ControlCompare control =
                controlled ? ControlCompare.over(over, clock, request.options(), random) : null;
        if (control != null) {
            control(control, over);
        }
        Pipeline pipeline =
                new Pipeline(
                        over,
                        SecondStage.COMPARE,
                        over.sentinels(request.options(), random),
                        new Poison(over.buffer(), over.geometry(), random),
                        null,
                        clock,
                        request.options(),
                        cancel);
        space.run(pipeline, progress, Progress.Phase.VERIFY);
        checkAll(pipeline.doneBytes(), over.bytes());
        if (control != null) {
            control(control, over);
        }
    }

    private static void checkAll(long verified, long bytes) {
        if (verified != bytes) {
            throw new IllegalStateException("%d bytes of %d verified".formatted(verified, bytes));
        }
    }

    /** A control Compare that did not end may still read the memory. */
    private void control(ControlCompare compare, Lane over) {
        try {
            compare.run();
        } catch (PeerlaneException | InternalError e) {
            PeerlaneException why = Blame.of(Faults.of(e), over);
            BlockPort port = over.second();
            if (port.inFlight() > 0) {
                try {
                    port.quiesce();
                } catch (PeerlaneException | InternalError stuck) {
                    space.isUnsafe();
                    Faults.add(why, stuck);
                }
            }
            throw why;
        }
    }

    /** The same slots as the copy's where the memory is the same, with the parts exchanged. */
    private Lane lane(Lane used, Endpoint reader, Endpoint second) {
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
        Geometry geometry = space.cut(memory, true);
        return Lane.attach(
                reader.port(),
                lbaOf(reader),
                second.port(),
                lbaOf(second),
                space.take(memory, geometry.totalBytes()),
                geometry,
                request.bytes());
    }

    private void throughHost(Progress progress) {
        HostMemory memory = new HostMemory(fabric.dma());
        Geometry geometry = space.cut(memory, false);
        HostMemory.HostBuffer buffer = space.takeHost(memory, 2 * geometry.totalBytes());
        Geometry doubled = new Geometry(geometry.chunkBytes(), 2 * geometry.slots(), 0, 0);
        Lane over = Lane.attach(request, buffer, doubled, request.bytes()).cut(geometry);
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
        space.run(pipeline, progress, Progress.Phase.VERIFY);
        checkAll(pipeline.doneBytes(), over.bytes());
    }

    private long lbaOf(Endpoint side) {
        return side.equals(request.source()) ? request.sourceLba() : request.targetLba();
    }
}
