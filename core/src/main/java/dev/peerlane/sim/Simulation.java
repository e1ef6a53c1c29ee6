package dev.peerlane.sim;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.EmulatedFabric;
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
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One seed, run: the driver opens the drives, the engine copies, and after each copy the media are
 * compared with what they should be, past driver and engine. Runs on one thread, in virtual time,
 * and gives the same every time.
 */
public final class Simulation {
    private static final List<String> LOCATORS = List.of("emu:a", "emu:b", "emu:c");
    private static final int DEPTH = 32;
    private static final long BOUND_NANOS = 120_000_000_000L;

    private final World world;
    private final EmulatedFabric fabric;
    private final Consumer<String> trace;
    private final boolean blind;
    private boolean unfenced;
    private final List<String> violations = new ArrayList<>();
    private final Map<String, Integer> seen = new TreeMap<>();
    private final List<Controller> controllers = new ArrayList<>();
    private final Map<Controller, ControllerMemoryBuffer> buffers = new HashMap<>();
    private final byte[][] media = new byte[LOCATORS.size()][World.MEDIUM_BYTES];

    /**
     * What became of a seed.
     *
     * @param seed which
     * @param violations what the checkers found; empty if all is well
     * @param seen what happened, and how often
     * @param packets how many packets moved
     */
    public record Outcome(
            long seed, List<String> violations, Map<String, Integer> seen, long packets) {}

    private Simulation(World world, Consumer<String> trace, boolean blind, long seed) {
        this.world = world;
        this.trace = trace;
        this.blind = blind;
        fabric = new EmulatedFabric(world.fabric());
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < media.length; i++) {
            random.nextBytes(media[i]);
            fabric.controller(LOCATORS.get(i)).medium(1, media[i]);
        }
    }

    /**
     * Runs a seed.
     *
     * @param trace is told of every step; null for nobody
     */
    public static Outcome run(long seed, @Nullable Consumer<String> trace) {
        return run(seed, World.of(seed), false, trace);
    }

    /**
     * Runs another world under a seed.
     *
     * @param blind judges copies without a fence as if they had one: to see the checkers find it
     */
    static Outcome run(long seed, World world, boolean blind, @Nullable Consumer<String> trace) {
        Consumer<String> sink = trace == null ? line -> {} : trace;
        sink.accept("seed %d: %s".formatted(seed, world.topology()));
        sink.accept(world.fabric().toString());
        Simulation simulation = new Simulation(world, sink, blind, seed);
        if (trace != null) {
            simulation.fabric.trace(trace);
        }
        try {
            simulation.run();
        } catch (RuntimeException | AssertionError e) {
            simulation.violations.add("it threw " + e);
        }
        return new Outcome(
                seed,
                List.copyOf(simulation.violations),
                simulation.seen,
                simulation.fabric.packetsSent());
    }

    private void run() {
        saw(world.topology());
        try {
            for (String locator : LOCATORS) {
                controllers.add(Controller.open(fabric, locator, ControllerOptions.DEFAULTS));
            }
            for (World.Copy copy : world.copies()) {
                trace.accept(copy.toString());
                copy(copy);
                checkMedia();
            }
        } finally {
            controllers.forEach(Controller::close);
            checkFabric();
            fabric.close();
        }
    }

    private void copy(World.Copy copy) {
        Set<Integer> busy = new HashSet<>();
        List<WatchedPort> ports = new ArrayList<>();
        try {
            Endpoint source = endpoint(copy.source(), busy, ports);
            Endpoint target = endpoint(copy.target(), busy, ports);
            CopyRequest request =
                    new CopyRequest(
                            source,
                            copy.sourceOffset() / source.port().limits().blockBytes(),
                            target,
                            copy.targetOffset() / target.port().limits().blockBytes(),
                            copy.bytes(),
                            candidates(),
                            List.of(),
                            copy.options());
            CopyPlan plan = Planner.plan(request, fabric.machine());
            saw("buffer " + plan.kind().label());
            saw("fence " + plan.fence());
            saw("verify " + plan.verify().label());
            run(copy, plan);
        } catch (PeerlaneException e) {
            // refused before it began: nothing may have changed
            saw("refused " + e.code());
            trace.accept("refused: " + e.getMessage());
        } finally {
            ports.forEach(WatchedPort::close);
        }
        buffers.forEach((controller, cmb) -> {
            if (cmb.largestFreeBytes() != cmb.sizeBytes()) {
                violation(controller.locator() + " has lost memory of its CMB");
            }
        });
    }

    private void run(World.Copy copy, CopyPlan plan) {
        long started = fabric.clock().nanoTime();
        boolean needsFence =
                plan.kind() == BufferKind.TARGET_CMB || plan.kind() == BufferKind.THIRD_PARTY_CMB;
        boolean fenced = blind || !needsFence || copy.options().fence() != FenceChoice.NONE;
        // what an unfenced copy left under way may still arrive, and nobody waits for it
        unfenced |= !fenced;
        boolean trusted = world.honest() && !unfenced;
        try {
            Receipt receipt = new CopyJob(plan, fabric, new CancelFlag()).run(Progress.NONE);
            saw("ok");
            trace.accept("ok after %.6f s".formatted(receipt.seconds()));
            boolean checked = copy.options().verify() != VerifyMode.NONE;
            if (receipt.bytesCopied() != copy.bytes()) {
                violation("ok, but %d bytes were copied".formatted(receipt.bytesCopied()));
            }
            if (trusted || checked) {
                apply(copy);
            } else {
                adopt(copy);
            }
        } catch (CopyException e) {
            saw("failed " + e.code());
            trace.accept("failed: " + e.getMessage());
            if (trusted) {
                violation("a copy failed on a fabric without a fault: " + e.getMessage());
            }
            adopt(copy);
        }
        long nanos = fabric.clock().nanoTime() - started;
        if (nanos > BOUND_NANOS) {
            violation("a copy took %d s of virtual time".formatted(nanos / 1_000_000_000));
        }
    }

    /** The target's range has to be the source's now. */
    private void apply(World.Copy copy) {
        System.arraycopy(
                media[copy.source()],
                copy.sourceOffset(),
                media[copy.target()],
                copy.targetOffset(),
                copy.bytes());
    }

    /** Whatever is in the target's range is taken as it is; everything else is still checked. */
    private void adopt(World.Copy copy) {
        byte[] now = fabric.controller(LOCATORS.get(copy.target())).medium(1);
        System.arraycopy(
                now, copy.targetOffset(), media[copy.target()], copy.targetOffset(), copy.bytes());
    }

    private void checkMedia() {
        for (int i = 0; i < media.length; i++) {
            byte[] now = fabric.controller(LOCATORS.get(i)).medium(1);
            int at = Arrays.mismatch(now, media[i]);
            if (at >= 0) {
                violation(
                        "%s is not what it should be from byte %d on"
                                .formatted(LOCATORS.get(i), at));
                media[i] = now;
            }
        }
    }

    private void checkFabric() {
        for (String locator : LOCATORS) {
            fabric.controller(locator).violations().forEach(v -> violation(locator + ": " + v));
        }
        for (Controller controller : controllers) {
            controller.closeProblem().ifPresent(p -> violation("it did not close: " + p));
        }
        long faulted = fabric.traffic().orElseThrow().total().faulted();
        if (world.honest() && !unfenced && faulted > 0) {
            violation(faulted + " bytes of DMA went outside of every mapping");
        }
        for (EmulatedFabric.PeerFlow flow : fabric.peerFlows()) {
            Route route = Route.between(fabric.machine(), flow.initiator(), flow.owner());
            Verdict verdict = flow.reads() ? route.peerReads() : route.peerWrites();
            if (!verdict.allowed()) {
                violation("%s, which is %s".formatted(flow, verdict.words()));
            }
            saw(flow.throughRoot() ? "peer through root" : "peer direct");
        }
    }

    private Endpoint endpoint(int drive, Set<Integer> busy, List<WatchedPort> ports) {
        Controller controller = controllers.get(drive);
        Namespace namespace = controller.namespace(1);
        WatchedPort port =
                new WatchedPort(namespace.port(DEPTH), busy, this::step, this::violation);
        ports.add(port);
        return new Endpoint(
                controller.locator(),
                controller.device().bdf(),
                controller.identity().sn(),
                controller.identity().mn(),
                1,
                port);
    }

    private List<BufferCandidate> candidates() {
        List<BufferCandidate> candidates = new ArrayList<>();
        for (Controller controller : controllers) {
            try {
                ControllerMemoryBuffer cmb = controller.requireCmb();
                if (!cmb.isEnabled()) {
                    cmb.enable(fabric.dma());
                }
                buffers.put(controller, cmb);
                candidates.add(
                        new BufferCandidate(controller.locator(), controller.device().bdf(), cmb));
            } catch (PeerlaneException e) {
                saw("no CMB: " + e.code());
            }
        }
        return candidates;
    }

    private void step(String what) {
        trace.accept("%9d ns  %s".formatted(fabric.clock().nanoTime(), what));
    }

    private void saw(String what) {
        seen.merge(what, 1, Integer::sum);
    }

    private void violation(String what) {
        trace.accept("VIOLATION: " + what);
        violations.add(what);
    }
}
