package dev.peerlane.sim;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.engine.CopyJob;
import dev.peerlane.copy.planning.Planner;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.measure.LitmusCount;
import dev.peerlane.measure.LitmusJob;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Runs one seed: the driver opens the drives, the engine copies, faults happen, and after each copy
 * the content of the media is compared with what is expected, bypassing driver and engine. Runs on
 * one thread, in virtual time, and gives the same result every time.
 */
public final class Simulation {
    /**
     * A strong reference, without which the level of the logger would be lost; here thousands of
     * controllers fail.
     */
    private static final Logger LOG = Logger.getLogger("dev.peerlane");

    static {
        LOG.setLevel(Level.OFF);
    }

    private static final long ARRIVAL_NANOS = 100_000_000L;

    /** Longer than any command is delayed. */
    private static final long LINGER_NANOS = 400_000_000L;

    /** Number of posted commands after which the copy beside another one begins. */
    private static final int BESIDE_AFTER = 5;

    private static final long HAND_OFFS = 40;
    private static final long LITMUS_NANOS = 2_000_000_000L;

    /** The longest time of one copy, including its verification. */
    static final long BOUND_NANOS = 120_000_000_000L;

    private final World world;
    private final long seed;
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
    private final Set<FeatureCoverage.Cell> features = new LinkedHashSet<>();
    private final List<Run> runs = new ArrayList<>();
    private @Nullable BufferKind carrier;
    private @Nullable BufferKind lastCarrier;

    /** The words of {@link Judge} for bytes that were handed on before they had arrived. */
    static final String NOT_COPIED = "said to be copied and are not";

    /** A fault that happened, and the phase of the copy. */
    private record Hit(Fault.Kind kind, Phase phase) {}

    /**
     * The outcome of a seed.
     *
     * @param seed the seed
     * @param violations what the checkers found; empty if all is well
     * @param seen what happened, and how often
     * @param packets number of packets
     * @param cells the faults, with their phases and memories
     * @param features the features of the copies
     */
    record Outcome(
            long seed,
            List<String> violations,
            Map<String, Integer> seen,
            long packets,
            Set<Coverage.Cell> cells,
            Set<FeatureCoverage.Cell> features) {
        /** Returns whether a copy reported blocks as copied that are not. */
        boolean handsOnOldBytes() {
            return violations.stream().anyMatch(v -> v.contains(NOT_COPIED));
        }
    }

    private Simulation(
            World world,
            @Nullable Consumer<String> trace,
            boolean blind,
            long boundNanos,
            long seed) {
        this.world = world;
        this.seed = seed;
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
     * @param trace receives a line for every step; null for none
     */
    static Outcome run(long seed, @Nullable Consumer<String> trace) {
        return run(seed, World.of(seed), false, BOUND_NANOS, trace);
    }

    /**
     * Runs the control of a seed, in which no copy has a fence and each is judged as if it had one.
     */
    static Outcome runUnfenced(long seed, @Nullable Consumer<String> trace) {
        return run(seed, World.unfenced(seed), true, BOUND_NANOS, trace);
    }

    /**
     * Runs a given world under a seed.
     *
     * @param blind whether to judge copies without a fence as if they had one, to see that the
     *     checkers find them
     * @param boundNanos the longest time of one copy
     */
    static Outcome run(
            long seed,
            World world,
            boolean blind,
            long boundNanos,
            @Nullable Consumer<String> trace) {
        Simulation simulation = new Simulation(world, trace, blind, boundNanos, seed);
        if (trace != null) {
            trace.accept("seed %d: %s".formatted(seed, world.topology()));
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
                simulation.cells,
                simulation.features);
    }

    private void run() {
        story.saw(world.topology());
        try {
            for (World.Copy copy : world.copies()) {
                story.describe(copy);
                if (copy.faults().isEmpty()) {
                    boolean planned = attempt(copy);
                    if (copy.cancelAfter() > 0 && planned) {
                        story.tell("AGAIN, and not cancelled");
                        judge.again(true, attempt(copy.calm()));
                    }
                } else {
                    rig.close();
                    boolean planned = attempt(copy);
                    fabric.clock().await(() -> false, LINGER_NANOS);
                    rig.close();
                    again(copy, planned);
                }
            }
        } finally {
            rig.close();
            fabric.peerFlows()
                    .forEach(f -> story.saw(f.throughRoot() ? "peer through root" : "peer direct"));
            fabric.close();
        }
    }

    /** Repeats a copy after everything that its faults broke is repaired; it must succeed now. */
    private void again(World.Copy copy, boolean planned) {
        BufferKind carrier = planned ? lastCarrier : copy.options().buffer().kind();
        if (carrier != null) {
            hits.stream()
                    .map(hit -> new Coverage.Cell(hit.kind(), hit.phase(), carrier))
                    // data of the copy beside this one may have met the fault, in another memory
                    .filter(cell -> copy.beside() == null || Coverage.reason(cell).isEmpty())
                    .forEach(cells::add);
        }
        hits.clear();
        fabric.repair();
        // what an unfenced copy left in flight still belongs to that copy
        fabric.clock().await(() -> false, ARRIVAL_NANOS);
        checkers.forget();
        story.tell("AGAIN, without faults");
        judge.again(planned, attempt(copy.calm()));
    }

    /** Runs one copy with its faults; returns whether it had a plan. */
    private boolean attempt(World.Copy copy) {
        long started = fabric.clock().nanoTime();
        phases = new PhaseTracker(copy.bytes(), phase -> entered(copy, phase));
        entered(copy, Phase.ATTACH);
        boolean planned = run(copy, phases);
        if (planned) {
            lastCarrier = carrier;
        }
        rig.checkMemory();
        media.check();
        long nanos = fabric.clock().nanoTime() - started;
        if (nanos > boundNanos) {
            violation("a copy took %d s of virtual time".formatted(nanos / 1_000_000_000));
        }
        return planned;
    }

    /** Runs one copy, perhaps in the middle of another; returns whether it had a plan. */
    private boolean run(World.Copy copy, PhaseTracker tracker) {
        Run run = new Run(copy, tracker);
        runs.add(run);
        boolean planning = false;
        try {
            rig.open();
            CopyRequest request = rig.request(copy, run.ports, tracker, run);
            planning = true;
            run.plan = Planner.plan(request, fabric.machine());
            planning = false;
            begin(copy, run.plan);
            if (copy.task() == World.Task.LITMUS) {
                litmus(copy, run.plan);
            } else {
                copy(copy, run.plan, run.cancel);
            }
        } catch (PeerlaneException e) {
            // refused before it began: nothing may have changed
            story.saw("refused " + e.code());
            story.tell("refused: " + e.getMessage());
            if (!planning) {
                judge.refused(copy, e);
            }
        }
        tracker.over();
        rig.ended(run.ports);
        if (runs.size() == 1 && !checkers.happened().isEmpty()) {
            // late data would arrive now, in memory that was released
            fabric.clock().await(() -> false, LINGER_NANOS);
        }
        rig.close(run.ports);
        runs.remove(run);
        return run.plan != null;
    }

    /** A running copy, which is cancelled, or joined by another one, when it is time. */
    private final class Run implements Rig.Watcher {
        private final World.Copy copy;
        private final PhaseTracker tracker;
        private final Rig.Ports ports = new Rig.Ports();
        private final CancelFlag cancel = new CancelFlag();
        private @Nullable CopyPlan plan;
        private int posted;
        private boolean begun;

        Run(World.Copy copy, PhaseTracker tracker) {
            this.copy = copy;
            this.tracker = tracker;
        }

        @Override
        public void posted() {
            posted++;
            if (posted == copy.cancelAfter()) {
                story.saw("cancelled in " + tracker.phase());
                story.step(() -> "CANCELLED in " + tracker.phase());
                cancel.cancel();
                judge.cancelled();
            }
        }

        @Override
        public void polling() {
            World.Copy beside = copy.beside();
            if (beside != null && !begun && posted >= BESIDE_AFTER) {
                begun = true;
                judge.crowded();
                story.tell("BESIDE it:");
                story.describe(beside);
                boolean planned =
                        Simulation.this.run(beside, new PhaseTracker(beside.bytes(), phase -> {}));
                story.saw(planned ? "beside another" : "refused beside another");
                story.tell("the first copy continues");
            }
        }
    }

    private void begin(World.Copy copy, CopyPlan planned) {
        if (runs.size() == 1) {
            carrier = planned.kind();
        }
        story.saw("buffer " + planned.kind().label());
        story.saw("fence " + planned.fence());
        story.saw("verify " + planned.verify().label());
        story.tell(
                "PLAN: through %s, fence %s, verification %s"
                        .formatted(
                                planned.kind().label(), planned.fence(), planned.verify().label()));
        judge.begins(copy, planned);
    }

    private void copy(World.Copy copy, CopyPlan planned, CancelFlag cancel) {
        int chunkBytes = 0;
        try {
            CopyJob job = new CopyJob(planned, Surroundings.of(rig.fabric()), cancel);
            Receipt receipt = job.run(Progress.NONE);
            chunkBytes = receipt.chunkBytes();
            story.saw("ok");
            story.tell("ok after %.6f s".formatted(receipt.seconds()));
            judge.succeeded(copy, receipt);
        } catch (CopyException e) {
            chunkBytes = e.receipt().chunkBytes();
            story.saw("failed " + e.code());
            story.tell("failed: " + e.getMessage());
            judge.failed(copy, e, e.receipt());
        }
        had(copy, planned, chunkBytes);
    }

    private void litmus(World.Copy copy, CopyPlan planned) {
        FenceChoice fence = FenceChoice.NONE;
        for (FenceChoice choice : FenceChoice.values()) {
            fence = choice.label().equals(planned.fence()) ? choice : fence;
        }
        // not the seed of the media, or the pattern could be on them before it is written
        try (LitmusJob job =
                new LitmusJob(planned, Surroundings.of(rig.fabric()), new CancelFlag(), ~seed)) {
            LitmusCount count = job.count(fence, HAND_OFFS, LITMUS_NANOS, Progress.NONE);
            story.saw("litmus with fence " + fence.label());
            story.tell(count.toString());
            judge.counted(copy, job.chunkBytes(), count);
            had(copy, planned, job.chunkBytes());
        } catch (PeerlaneException e) {
            judge.notCounted(copy, e);
            throw e;
        }
    }

    private void had(World.Copy copy, CopyPlan planned, int chunkBytes) {
        BufferCandidate buffer = planned.buffer();
        DriveModel owner = null;
        for (DriveModel drive : world.fabric().drives()) {
            owner =
                    buffer != null && buffer.owner().equals(fabric.bdf(drive.name()))
                            ? drive
                            : owner;
        }
        for (Feature feature : Feature.of(world, copy, chunkBytes, owner)) {
            features.add(new FeatureCoverage.Cell(feature, planned.kind()));
        }
    }

    private void entered(World.Copy copy, Phase phase) {
        for (PlannedFault planned : copy.faults()) {
            if (planned.phase() == phase) {
                story.step(() -> "%s: armed %s".formatted(phase, planned.fault()));
                fabric.arm(planned.fault());
            }
        }
    }

    private void happens(Fault fault) {
        hits.add(new Hit(fault.kind(), phases.phase()));
        story.saw("fault " + fault.kind());
        story.step(() -> "HAPPENS in %s: %s".formatted(phases.phase(), fault));
        for (Run run : runs) {
            String fence = run.plan == null ? "none" : run.plan.fence();
            if (Promise.staleMoves(fault.kind(), fence)) {
                checkers.staleMayMove();
            }
        }
    }

    private void violation(String what) {
        story.tell("VIOLATION: " + what);
        violations.add(what);
    }
}
