package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.VerifyMethod;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.hal.Clock;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;

/** Verifies a copy as its plan says: reads every chunk again and has it compared. */
final class Verification {
    private static final String LOSSES =
            "every byte by Compare; a lost peer write by the page, a part of a page unless both"
                    + " passes lost it over the same old bytes";

    private final CopyPlan plan;
    private final CopyRequest request;
    private final Surroundings around;
    private final Clock clock;
    private final CancelFlag cancel;
    private final RandomGenerator random;
    private final Workspace space;
    private String result = "not run";
    private long doneBytes;
    private int controls;
    private double seconds;

    Verification(
            CopyPlan plan,
            Surroundings around,
            CancelFlag cancel,
            RandomGenerator random,
            Workspace space) {
        this.plan = plan;
        this.around = around;
        this.cancel = cancel;
        this.random = random;
        this.space = space;
        request = plan.request();
        clock = around.clock();
    }

    /** Returns {@code ok}, {@code failed}, {@code stopped} or {@code not run}. */
    String result() {
        return result;
    }

    /** Returns how many bytes were verified. */
    long doneBytes() {
        return doneBytes;
    }

    double seconds() {
        return seconds;
    }

    /** Returns the number of control Compares. */
    int controls() {
        return controls;
    }

    /** Returns which differences this verification can find. */
    String granularity() {
        return switch (plan.verify()) {
            case NONE -> "nothing";
            case HOST -> "every byte, both sides read into host memory that is overwritten before";
            case TARGET_COMPARE, SOURCE_COMPARE -> LOSSES;
            case CONTROLLED_COMPARE -> LOSSES + "; a peer read that lies by the page";
        };
    }

    /**
     * Runs the verification.
     *
     * @param copied the lanes that the copy ran over, piece by piece
     * @throws PeerlaneException if the copy is wrong, or can't be verified
     */
    void run(List<Lane> copied, Progress progress) {
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
                        compare(copied, request.source(), request.target(), false, progress);
                case SOURCE_COMPARE ->
                        compare(copied, request.target(), request.source(), false, progress);
                case CONTROLLED_COMPARE ->
                        compare(copied, request.source(), request.target(), true, progress);
            }
            result = "ok";
        } catch (PeerlaneException e) {
            result = e.category() == Category.INTERRUPTED ? "stopped" : result;
            throw e;
        } finally {
            seconds = (clock.nanoTime() - started) / 1e9;
        }
    }

    private void compare(
            List<Lane> copied,
            Endpoint reader,
            Endpoint owner,
            boolean controlled,
            Progress progress) {
        List<Lane> pieces = lanes(copied, reader, owner);
        Lane first = pieces.getFirst();
        ControlCompare control =
                controlled ? ControlCompare.over(first, clock, request.options(), random) : null;
        if (control != null) {
            control(control, first);
        }
        Controls compares =
                new Controls(first, request.bytes(), Geometry.unitBytes(request), random);
        overwrite(pieces);
        for (Lane piece : pieces.reversed()) {
            compares.over(piece, request.bytes() - doneBytes - piece.bytes());
            try {
                compare(piece, compares, progress);
            } finally {
                controls = compares.made();
            }
        }
        checkAll();
        if (control != null) {
            control(control, first);
            controls += control.made();
        }
    }

    /**
     * Verifies one piece, the last chunk first. A lost packet then leaves a later chunk or random
     * bytes visible; in the copy it left an earlier chunk, or the memory's former content. Each
     * chunk also uses another slot than in the copy. So the same loss in both passes does not lead
     * to the same bytes.
     */
    private void compare(Lane over, Controls compares, Progress progress) {
        Pipeline pipeline =
                new Pipeline(
                        over,
                        SecondStage.COMPARE,
                        SentinelFence.over(over, request.options(), random),
                        clock,
                        request.options(),
                        cancel);
        pipeline.poison(new Poison(over.buffer(), over.geometry(), random));
        pipeline.inOtherSlots();
        pipeline.control(compares);
        run(pipeline, progress);
    }

    private void run(Pipeline pipeline, Progress progress) {
        long before = doneBytes;
        try {
            space.run(
                    pipeline,
                    (phase, done, total) -> progress.update(phase, before + done, request.bytes()),
                    Progress.Phase.VERIFY);
        } finally {
            doneBytes = before + pipeline.doneBytes();
        }
    }

    /**
     * Overwrites all slots. Otherwise what the copy left there, and old bytes where no peer write
     * ever arrives, would be the same in both passes.
     */
    private void overwrite(List<Lane> pieces) {
        long most = 0;
        for (Lane piece : pieces) {
            most = Math.max(most, piece.geometry().sentinelOffset());
        }
        try {
            Poison.overwrite(pieces.getFirst().buffer(), most, random);
        } catch (PeerlaneException | InternalError e) {
            // memory that does not keep a word may belong to a device that is gone
            throw Blame.of(Faults.of(e), pieces.getFirst());
        }
    }

    private void checkAll() {
        if (doneBytes != request.bytes()) {
            throw new IllegalStateException(
                    "%d bytes of %d verified".formatted(doneBytes, request.bytes()));
        }
    }

    /** Runs a control Compare. If it did not end, it may still read the memory. */
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

    /** Returns the lanes of the verification: the copy's own slots if the memory is the same. */
    private List<Lane> lanes(List<Lane> copied, Endpoint reader, Endpoint second) {
        if (plan.verifySharesBuffer() && copied.getFirst().geometry().sentinels() > 0) {
            boolean same = reader.port() == request.source().port();
            return copied.stream().map(l -> (same ? l : l.turned()).reversed()).toList();
        }
        PeerMemory memory = Objects.requireNonNull(plan.verifyBuffer()).memory();
        Geometry geometry = space.cut(memory, true);
        return List.of(
                Lane.attach(
                                endOf(reader),
                                endOf(second),
                                space.take(memory, geometry.totalBytes()),
                                geometry,
                                request.bytes())
                        .reversed());
    }

    private void throughHost(Progress progress) {
        HostMemory memory = around.hostMemory();
        Geometry geometry = space.cut(memory, false);
        HostMemory.HostBuffer buffer = space.takeHost(memory, 2 * geometry.totalBytes());
        Geometry doubled = new Geometry(geometry.chunkBytes(), 2 * geometry.slots(), 0, 0);
        Lane over = Lane.attach(request, buffer, doubled, request.bytes()).cut(geometry);
        Poison poison = new Poison(buffer, doubled, random, true);
        Pipeline pipeline =
                new Pipeline(
                        over,
                        SecondStage.MATCH,
                        new Fence.None(geometry.slots()),
                        clock,
                        request.options(),
                        cancel);
        pipeline.poison(poison);
        pipeline.match(new HostMatch(buffer.segment(), geometry, poison));
        run(pipeline, progress);
        checkAll();
    }

    private Lane.End endOf(Endpoint side) {
        boolean source = side.port() == request.source().port();
        return new Lane.End(side.port(), source ? request.sourceLba() : request.targetLba());
    }
}
