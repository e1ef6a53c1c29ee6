package dev.peerlane.sim;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.Fault;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.p2p.BufferCandidate;
import dev.peerlane.p2p.BufferKind;
import dev.peerlane.p2p.CancelFlag;
import dev.peerlane.p2p.CopyException;
import dev.peerlane.p2p.CopyJob;
import dev.peerlane.p2p.CopyPlan;
import dev.peerlane.p2p.CopyRequest;
import dev.peerlane.p2p.Endpoint;
import dev.peerlane.p2p.FenceChoice;
import dev.peerlane.p2p.Planner;
import dev.peerlane.p2p.Progress;
import dev.peerlane.p2p.Receipt;
import dev.peerlane.p2p.VerifyMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One seed, run: the driver opens the drives, the engine copies, things go wrong, and after each
 * copy the media are compared with what they should be, past driver and engine. Runs on one thread,
 * in virtual time, and gives the same every time.
 */
public final class Simulation {
    private static final List<String> LOCATORS = List.of("emu:a", "emu:b", "emu:c");
    private static final int DEPTH = 32;
    private static final long ARRIVAL_NANOS = 100_000_000L;

    /** Longest that one copy may take, verification included. */
    static final long BOUND_NANOS = 120_000_000_000L;

    private final World world;
    private final EmulatedFabric fabric;
    private final WatchedFabric watched;
    private final Consumer<String> trace;
    private final boolean blind;
    private final long boundNanos;
    private final Media media;
    private final SlotLedger slots;
    private final MappingLedger mappings;
    private final Checkers checkers;
    private final List<String> violations = new ArrayList<>();
    private final Map<String, Integer> seen = new TreeMap<>();
    private final Set<Coverage.Cell> cells = new LinkedHashSet<>();
    private final List<Controller> controllers = new ArrayList<>();
    private final Map<Controller, ControllerMemoryBuffer> buffers = new HashMap<>();
    private final Map<String, Integer> known = new HashMap<>();
    private final List<Hit> hits = new ArrayList<>();
    private PhaseTracker phases = new PhaseTracker(0, phase -> {});
    private boolean unfenced;
    private @Nullable CopyPlan plan;

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
            Set<Coverage.Cell> cells) {}

    private Simulation(
            World world, Consumer<String> trace, boolean blind, long boundNanos, long seed) {
        this.world = world;
        this.trace = trace;
        this.blind = blind;
        this.boundNanos = boundNanos;
        fabric = new EmulatedFabric(world.fabric());
        media = new Media(fabric, LOCATORS, seed, this::violation);
        slots = new SlotLedger(this::violation);
        mappings = new MappingLedger(fabric.dma(), this::violation);
        watched = new WatchedFabric(fabric, mappings);
        checkers = new Checkers(slots, mappings, this::happens, this::violation);
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
        sink.accept(world.fabric().toString());
        Simulation simulation = new Simulation(world, sink, blind, boundNanos, seed);
        if (trace != null) {
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
                simulation.seen,
                simulation.fabric.packetsSent(),
                simulation.cells);
    }

    private void run() {
        saw(world.topology());
        try {
            for (World.Copy copy : world.copies()) {
                trace.accept(copy.toString());
                if (copy.faults().isEmpty()) {
                    attempt(copy);
                } else {
                    closeAll();
                    attempt(copy);
                    closeAll();
                    again(copy);
                }
            }
        } finally {
            closeAll();
            fabric.peerFlows()
                    .forEach(f -> saw(f.throughRoot() ? "peer through root" : "peer direct"));
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
        trace.accept("again, without faults");
        World.Copy calm =
                new World.Copy(
                        copy.source(),
                        copy.target(),
                        copy.sourceOffset(),
                        copy.targetOffset(),
                        copy.bytes(),
                        copy.options()
                                .withCommandTimeoutNanos(
                                        dev.peerlane.p2p.CopyOptions.DEFAULTS
                                                .commandTimeoutNanos()),
                        List.of());
        attempt(calm);
        if (before != null && plan == null) {
            violation("after the faults the same copy is refused");
        }
    }

    /** One copy, with what goes wrong with it. */
    private void attempt(World.Copy copy) {
        long started = fabric.clock().nanoTime();
        plan = null;
        phases = new PhaseTracker(copy.bytes(), phase -> entered(copy, phase));
        entered(copy, Phase.ATTACH);
        List<WatchedPort> ports = new ArrayList<>();
        try {
            openAll();
            plan = Planner.plan(request(copy, ports), fabric.machine());
            saw("buffer " + plan.kind().label());
            saw("fence " + plan.fence());
            saw("verify " + plan.verify().label());
            run(copy, plan);
        } catch (PeerlaneException e) {
            // refused before it began: nothing may have changed
            saw("refused " + e.code());
            trace.accept("refused: " + e.getMessage());
        }
        phases.over();
        for (WatchedPort port : ports) {
            try {
                port.close();
            } catch (PeerlaneException e) {
                trace.accept("a port does not close: " + e.getMessage());
                if (checkers.happened().isEmpty()) {
                    violation("a port does not close: " + e.getMessage());
                }
            }
        }
        buffers.forEach((controller, cmb) -> {
            if (cmb.isEnabled() && cmb.largestFreeBytes() != cmb.sizeBytes()) {
                violation(controller.locator() + " has lost memory of its CMB");
            }
        });
        media.check();
        long nanos = fabric.clock().nanoTime() - started;
        if (nanos > boundNanos) {
            violation("a copy took %d s of virtual time".formatted(nanos / 1_000_000_000));
        }
    }

    private void run(World.Copy copy, CopyPlan planned) {
        boolean needsFence =
                planned.kind() == BufferKind.TARGET_CMB
                        || planned.kind() == BufferKind.THIRD_PARTY_CMB;
        boolean fenced = blind || !needsFence || copy.options().fence() != FenceChoice.NONE;
        // what an unfenced copy left under way may still arrive, and nobody waits for it
        unfenced |= !fenced;
        if (unfenced) {
            checkers.staleMayMove();
        }
        boolean trusted = world.honest() && !unfenced;
        try {
            Receipt receipt = new CopyJob(planned, watched, new CancelFlag()).run(Progress.NONE);
            saw("ok");
            trace.accept("ok after %.6f s".formatted(receipt.seconds()));
            boolean checked = copy.options().verify() != VerifyMode.NONE;
            if (receipt.bytesCopied() != copy.bytes()) {
                violation("ok, but %d bytes were copied".formatted(receipt.bytesCopied()));
            }
            if (checked) {
                media.apply(copy);
            } else {
                judge(copy, receipt, trusted);
            }
        } catch (CopyException e) {
            saw("failed " + e.code());
            trace.accept("failed: " + e.getMessage());
            if (trusted && checkers.happened().isEmpty()) {
                boolean hurried = e.code().equals("command-timeout") && !copy.faults().isEmpty();
                if (!hurried) {
                    violation("a copy failed without a fault: " + e.getMessage());
                }
            }
            judge(copy, e.receipt(), trusted);
        }
        slots.end();
    }

    /** What was not verified, or failed: how much of what is said to be copied may be wrong. */
    private void judge(World.Copy copy, Receipt receipt, boolean trusted) {
        if (trusted) {
            String fence = receipt.fence();
            long allowed = Promise.wrongBytes(checkers.happened(), fence);
            int wrong = media.wrongBytes(copy, receipt.copied(), receipt.target().blockBytes());
            int strange = media.strangeBytes(copy);
            if (wrong > allowed) {
                violation("%d bytes are said to be copied and are not".formatted(wrong));
            }
            if (strange > allowed) {
                violation("%d bytes are neither old nor the source's".formatted(strange));
            }
        }
        media.adopt(copy);
    }

    private void entered(World.Copy copy, Phase phase) {
        for (PlannedFault planned : copy.faults()) {
            if (planned.phase() == phase) {
                trace.accept("%9d ns  %s: armed %s".formatted(now(), phase, planned.fault()));
                fabric.arm(planned.fault());
            }
        }
    }

    private void happens(Fault fault) {
        hits.add(new Hit(fault.kind(), phases.phase()));
        saw("fault " + fault.kind());
        step("HAPPENS in %s: %s".formatted(phases.phase(), fault));
        String fence = plan == null ? "none" : plan.fence();
        if (Promise.staleMoves(fault.kind(), fence)) {
            checkers.staleMayMove();
        }
    }

    private void openAll() {
        if (controllers.isEmpty()) {
            for (String locator : LOCATORS) {
                controllers.add(Controller.open(watched, locator, ControllerOptions.DEFAULTS));
            }
        }
    }

    private void closeAll() {
        for (Controller controller : controllers) {
            controller.close();
            controller
                    .closeProblem()
                    .filter(problem -> checkers.happened().isEmpty())
                    .ifPresent(problem -> violation("it did not close: " + problem));
        }
        controllers.clear();
        buffers.clear();
        mappings.checkEmpty();
        if (fabric.dmaAllocations() > 0) {
            violation(fabric.dmaAllocations() + " pieces of DMA memory are left");
        }
        checkFabric();
    }

    private void checkFabric() {
        for (String locator : LOCATORS) {
            List<String> all = fabric.controller(locator).violations();
            int before = known.getOrDefault(locator, 0);
            known.put(locator, all.size());
            String name = locator.substring(EmulatedFabric.LOCATOR_PREFIX.length());
            if (!checkers.met(name, Checkers.ENDS_QUEUES)) {
                all.stream().skip(before).forEach(v -> violation(locator + ": " + v));
            }
        }
        checkers.checkRoutes(fabric.machine());
    }

    private CopyRequest request(World.Copy copy, List<WatchedPort> ports) {
        Endpoint source = endpoint(copy, copy.source(), ports);
        Endpoint target = endpoint(copy, copy.target(), ports);
        return new CopyRequest(
                source,
                copy.sourceOffset() / source.port().limits().blockBytes(),
                target,
                copy.targetOffset() / target.port().limits().blockBytes(),
                copy.bytes(),
                candidates(),
                List.of(),
                copy.options());
    }

    private Endpoint endpoint(World.Copy copy, int drive, List<WatchedPort> ports) {
        Controller controller = controllers.get(drive);
        Namespace namespace = controller.namespace(1);
        dev.peerlane.block.BlockPort port = namespace.port(DEPTH);
        int block = port.limits().blockBytes();
        boolean flushes = port.limits().canFlush();
        boolean source = drive == copy.source();
        WatchedPort.Seen teller =
                new WatchedPort.Seen() {
                    @Override
                    public void posted(SlotLedger.Use use, long lba, int blocks) {
                        if (source && use == SlotLedger.Use.READ) {
                            phases.reading(
                                    lba * block - copy.sourceOffset(), (long) blocks * block);
                        } else if (!source && use == SlotLedger.Use.WRITE) {
                            phases.writing();
                        }
                    }

                    @Override
                    public void ended(SlotLedger.Use use, long lba, int blocks) {
                        if (!source && use == SlotLedger.Use.WRITE) {
                            long from = lba * block - copy.targetOffset();
                            phases.written(from, (long) blocks * block, flushes);
                        }
                    }

                    @Override
                    public void flushed() {
                        phases.flushed();
                    }
                };
        WatchedPort watchedPort =
                new WatchedPort(port, controller.device().bdf(), slots, teller, this::step);
        ports.add(watchedPort);
        return new Endpoint(
                controller.locator(),
                controller.device().bdf(),
                controller.identity().sn(),
                controller.identity().mn(),
                1,
                watchedPort);
    }

    private List<BufferCandidate> candidates() {
        List<BufferCandidate> candidates = new ArrayList<>();
        for (Controller controller : controllers) {
            try {
                ControllerMemoryBuffer cmb = controller.requireCmb();
                if (!cmb.isEnabled()) {
                    cmb.enable(mappings);
                }
                buffers.put(controller, cmb);
                candidates.add(
                        new BufferCandidate(controller.locator(), controller.device().bdf(), cmb));
            } catch (PeerlaneException e) {
                saw("no CMB: " + e.code());
                trace.accept("no CMB: " + e.getMessage());
            }
        }
        return candidates;
    }

    private long now() {
        return fabric.clock().nanoTime();
    }

    private void step(String what) {
        trace.accept("%9d ns  %s".formatted(now(), what));
    }

    private void saw(String what) {
        seen.merge(what, 1, Integer::sum);
    }

    private void violation(String what) {
        trace.accept("VIOLATION: " + what);
        violations.add(what);
    }
}
