package dev.peerlane.sim;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.Fault;
import dev.peerlane.p2p.BufferKind;
import dev.peerlane.p2p.CancelFlag;
import dev.peerlane.p2p.CopyException;
import dev.peerlane.p2p.CopyJob;
import dev.peerlane.p2p.CopyOptions;
import dev.peerlane.p2p.CopyPlan;
import dev.peerlane.p2p.CopyRequest;
import dev.peerlane.p2p.Planner;
import dev.peerlane.p2p.Progress;
import dev.peerlane.p2p.Receipt;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One seed, run: the driver opens the drives, the engine copies, things go wrong, and after each
 * copy the media are compared with what they should be, past driver and engine. Runs on one thread,
 * in virtual time, and gives the same every time.
 */
public final class Simulation {
    private static final long ARRIVAL_NANOS = 100_000_000L;

    /** Longer than any command is kept back. */
    private static final long LINGER_NANOS = 400_000_000L;

    /** Longest that one copy may take, verification included. */
    static final long BOUND_NANOS = 120_000_000_000L;

    private final World world;
    private final EmulatedFabric fabric;
    private final long boundNanos;
    private final Story story;
    private final Media media;
    private final SlotLedger slots;
    private final Checkers checkers;
    private final Judge judge;
    private final Rig rig;
    private final List<String> violations = new ArrayList<>();
    private final Set<Coverage.Cell> cells = new LinkedHashSet<>();
    private final List<Hit> hits = new ArrayList<>();
    private PhaseTracker phases = new PhaseTracker(0, phase -> {});
    private @Nullable CopyPlan plan;

    /** What {@link Judge} says of bytes that were handed on before they were there. */
    static final String NOT_COPIED = "said to be copied and are not";

    /** A fault that happened, and how far the copy was. */
    private record Hit(Fault.Kind kind, Phase phase) {}

    /**
     * What became of a seed.
     *
     * @param seed which
     * @param violations what the checkers found; empty if all is well
     * @param seen what happened, and how often
     * @param packets how many packets moved
     * @param cells which faults were met where
     */
    record Outcome(
            long seed,
            List<String> violations,
            Map<String, Integer> seen,
            long packets,
            Set<Coverage.Cell> cells) {
        /** Returns whether a copy says that it copied what it did not. */
        boolean handsOnOldBytes() {
            return violations.stream().anyMatch(v -> v.contains(NOT_COPIED));
        }
    }

    private Simulation(
            World world, Consumer<String> trace, boolean blind, long boundNanos, long seed) {
        this.world = world;
        this.boundNanos = boundNanos;
        fabric = new EmulatedFabric(world.fabric());
        story = new Story(fabric, trace);
        media = new Media(fabric, World.LOCATORS, seed, this::violation);
        slots = new SlotLedger(this::violation);
        MappingLedger mappings = new MappingLedger(fabric.dma(), this::violation);
        checkers = new Checkers(slots, mappings, this::happens, this::violation);
        judge = new Judge(media, checkers, world.honest(), blind, this::violation);
        rig = new Rig(fabric, World.LOCATORS, slots, mappings, checkers, story, this::violation);
        world.fabric()
                .drives()
                .forEach(drive ->
                        checkers.drive(
                                drive.name(), fabric.bdf(drive.name()), drive.doorbellStride()));
        fabric.watch(checkers);
    }

    /**
     * Runs a seed.
     *
     * @param trace is told of every step; null for nobody
     */
    static Outcome run(long seed, @Nullable Consumer<String> trace) {
        return run(seed, World.of(seed), false, BOUND_NANOS, trace);
    }

    /** Runs the control of a seed: no copy has a fence, and is judged as if it had one. */
    static Outcome runUnfenced(long seed, @Nullable Consumer<String> trace) {
        return run(seed, World.unfenced(seed), true, BOUND_NANOS, trace);
    }

    /**
     * Runs another world under a seed.
     *
     * @param blind judges copies without a fence as if they had one: to see the checkers find it
     * @param boundNanos longest that one copy may take
     */
    static Outcome run(
            long seed,
            World world,
            boolean blind,
            long boundNanos,
            @Nullable Consumer<String> trace) {
        Consumer<String> sink = trace == null ? line -> {} : trace;
        sink.accept("seed %d: %s".formatted(seed, world.topology()));
        Simulation simulation = new Simulation(world, sink, blind, boundNanos, seed);
        if (trace != null) {
            simulation.story.describe();
            simulation.fabric.trace(trace);
        }
        try {
            simulation.run();
        } catch (RuntimeException | AssertionError e) {
            simulation.violation("it threw " + e);
        }
        return new Outcome(
                seed,
                List.copyOf(simulation.violations),
                simulation.story.seen(),
                simulation.fabric.packetsSent(),
                simulation.cells);
    }

    private void run() {
        story.saw(world.topology());
        try {
            for (World.Copy copy : world.copies()) {
                story.describe(copy);
                if (copy.faults().isEmpty()) {
                    attempt(copy);
                } else {
                    rig.close();
                    attempt(copy);
                    // what a command that never ended has left to move would move now
                    fabric.clock().await(() -> false, LINGER_NANOS);
                    rig.close();
                    again(copy);
                }
            }
        } finally {
            rig.close();
            fabric.peerFlows()
                    .forEach(f -> story.saw(f.throughRoot() ? "peer through root" : "peer direct"));
            fabric.close();
        }
    }

    /** After a copy with faults everything is mended, and the same copy must work. */
    private void again(World.Copy copy) {
        CopyPlan before = plan;
        BufferKind asked = copy.options().buffer().kind();
        BufferKind carrier = before == null ? asked : before.kind();
        if (carrier != null) {
            hits.forEach(hit -> cells.add(new Coverage.Cell(hit.kind(), hit.phase(), carrier)));
        }
        hits.clear();
        fabric.repair();
        // what an unfenced copy has left under way belongs to that copy
        fabric.clock().await(() -> false, ARRIVAL_NANOS);
        checkers.forget();
        story.tell("AGAIN, without faults");
        attempt(
                new World.Copy(
                        copy.source(),
                        copy.target(),
                        copy.sourceOffset(),
                        copy.targetOffset(),
                        copy.bytes(),
                        copy.options()
                                .withCommandTimeoutNanos(
                                        CopyOptions.DEFAULTS.commandTimeoutNanos()),
                        List.of()));
        judge.again(before != null, plan != null);
    }

    /** One copy, with what goes wrong with it. */
    private void attempt(World.Copy copy) {
        long started = fabric.clock().nanoTime();
        plan = null;
        phases = new PhaseTracker(copy.bytes(), phase -> entered(copy, phase));
        entered(copy, Phase.ATTACH);
        boolean planning = false;
        try {
            rig.open();
            CopyRequest request = rig.request(copy, phases);
            planning = true;
            CopyPlan planned = Planner.plan(request, fabric.machine());
            planning = false;
            plan = planned;
            story.saw("buffer " + planned.kind().label());
            story.saw("fence " + planned.fence());
            story.saw("verify " + planned.verify().label());
            story.tell(
                    "PLAN: through %s, fence %s, verification %s"
                            .formatted(
                                    planned.kind().label(),
                                    planned.fence(),
                                    planned.verify().label()));
            copy(copy, planned);
        } catch (PeerlaneException e) {
            // refused before it began: nothing may have changed
            story.saw("refused " + e.code());
            story.tell("refused: " + e.getMessage());
            if (!planning) {
                judge.refused(copy, e);
            }
        }
        slots.end();
        phases.over();
        rig.endCopy();
        media.check();
        long nanos = fabric.clock().nanoTime() - started;
        if (nanos > boundNanos) {
            violation("a copy took %d s of virtual time".formatted(nanos / 1_000_000_000));
        }
    }

    private void copy(World.Copy copy, CopyPlan planned) {
        judge.begins(copy, planned);
        try {
            CopyJob job = new CopyJob(planned, rig.fabric(), new CancelFlag());
            Receipt receipt = job.run(Progress.NONE);
            story.saw("ok");
            story.tell("ok after %.6f s".formatted(receipt.seconds()));
            judge.succeeded(copy, receipt);
        } catch (CopyException e) {
            story.saw("failed " + e.code());
            story.tell("failed: " + e.getMessage());
            judge.failed(copy, e, e.receipt());
        }
    }

    private void entered(World.Copy copy, Phase phase) {
        for (PlannedFault planned : copy.faults()) {
            if (planned.phase() == phase) {
                story.step("%s: armed %s".formatted(phase, planned.fault()));
                fabric.arm(planned.fault());
            }
        }
    }

    private void happens(Fault fault) {
        hits.add(new Hit(fault.kind(), phases.phase()));
        story.saw("fault " + fault.kind());
        story.step("HAPPENS in %s: %s".formatted(phases.phase(), fault));
        String fence = plan == null ? "none" : plan.fence();
        if (Promise.staleMoves(fault.kind(), fence)) {
            checkers.staleMayMove();
        }
    }

    private void violation(String what) {
        story.tell("VIOLATION: " + what);
        violations.add(what);
    }
}
