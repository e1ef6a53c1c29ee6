package dev.peerlane.open;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.MemoryFault;
import dev.peerlane.hal.OwnerThread;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.p2p.BufferCandidate;
import dev.peerlane.p2p.BufferChoice;
import dev.peerlane.p2p.BufferKind;
import dev.peerlane.p2p.CancelFlag;
import dev.peerlane.p2p.CopyJob;
import dev.peerlane.p2p.CopyOptions;
import dev.peerlane.p2p.CopyPlan;
import dev.peerlane.p2p.CopyRequest;
import dev.peerlane.p2p.Endpoint;
import dev.peerlane.p2p.Planner;
import dev.peerlane.p2p.Progress;
import dev.peerlane.p2p.ReadFence;
import dev.peerlane.p2p.Receipt;
import dev.peerlane.p2p.Surroundings;
import dev.peerlane.p2p.VerifyMode;
import dev.peerlane.vfio.VfioFabric;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The devices of one fabric, opened as they are needed, and copies between them: the shortest way
 * to use the library. Closing it shuts every controller down. The thread that made it owns it;
 * others are refused before they have done anything.
 */
public final class Session implements AutoCloseable {
    /** Enough for both sides to be busy; a slot needs one entry. */
    private static final int QUEUE_DEPTH = 128;

    private final OwnerThread thread = new OwnerThread();
    private final Fabric fabric;
    private final ControllerOptions options;
    private final @Nullable Leftovers leftovers;
    private final Map<String, Controller> controllers = new LinkedHashMap<>();
    private final List<BlockPort> ports = new ArrayList<>();

    private Session(Fabric fabric, ControllerOptions options, @Nullable Leftovers leftovers) {
        this.fabric = fabric;
        this.options = options;
        this.leftovers = leftovers;
    }

    /** Makes a session of a fabric, which it closes in the end. Nothing is opened yet. */
    public static Session of(Fabric fabric) {
        return of(fabric, ControllerOptions.DEFAULTS);
    }

    /**
     * Makes a session with bounds of its own for every controller. Real devices outlive it even if
     * it is killed: what is in use of their CMBs is named under {@link Leftovers#STATE}.
     */
    public static Session of(Fabric fabric, ControllerOptions options) {
        boolean outlives = fabric instanceof VfioFabric;
        return new Session(fabric, options, outlives ? Leftovers.in(Leftovers.STATE) : null);
    }

    /** Makes a session that names what is in use of CMBs elsewhere. */
    public static Session of(Fabric fabric, ControllerOptions options, Leftovers leftovers) {
        return new Session(fabric, options, leftovers);
    }

    /** Returns the fabric. */
    public Fabric fabric() {
        return fabric;
    }

    /**
     * Returns a controller, brought up at the first call.
     *
     * @param locator the device
     * @throws PeerlaneException if there is no such device or it can't be brought up
     */
    public Controller controller(String locator) {
        checkThread();
        Controller known = controllers.get(locator);
        if (known == null) {
            known = Controller.open(fabric, locator, options);
            controllers.put(locator, known);
            adopt(known);
        }
        return known;
    }

    /** Returns its name as messages have it. */
    @Override
    public String toString() {
        return "the session on " + fabric.locators();
    }

    private void checkThread() {
        thread.check(this);
    }

    private void adopt(Controller controller) {
        if (leftovers == null) {
            return;
        }
        try {
            leftovers.adopt(controller, fabric.dma());
        } catch (RuntimeException e) {
            controllers.remove(controller.locator());
            controller.close();
            throw e;
        }
    }

    /**
     * Returns a namespace: the named one, or the only one.
     *
     * @throws PeerlaneException if it does not exist, or none is named and there is not exactly one
     */
    public Namespace namespace(Extent extent) {
        checkThread();
        Controller controller = controller(extent.device());
        Integer nsid = extent.nsid();
        if (nsid != null) {
            return controller.namespace(nsid);
        }
        int[] active = controller.activeNamespaces();
        if (active.length == 1) {
            return controller.namespace(active[0]);
        }
        String there =
                active.length == 0
                        ? "none"
                        : Arrays.stream(active)
                                .mapToObj(n -> "n" + n)
                                .collect(Collectors.joining(", "));
        throw PeerlaneException.request(
                "which-namespace",
                "%s has %d active namespaces (%s), and none is named"
                        .formatted(extent.device(), active.length, there),
                "Name one, such as " + extent.device() + "/n1");
    }

    /**
     * Plans a copy: opens both sides and brings up the CMBs that may carry the data.
     *
     * @param source where from
     * @param target where to; without a range, as many bytes as the source from its first block on
     * @param how buffer, verification and sizes
     * @throws PeerlaneException if the request is wrong or nothing may carry it
     */
    public CopyPlan plan(Extent source, Extent target, CopyOptions how) {
        checkThread();
        Namespace from = namespace(source);
        Namespace to = namespace(target);
        from.checkUsable();
        to.checkUsable();
        long sourceLba = start(source);
        long bytes = length(source, from, sourceLba);
        if (target.blocks() != null) {
            checkSameLength(source, target, bytes, length(target, to, start(target)));
        }
        Endpoint reader = endpoint(from, QUEUE_DEPTH);
        Endpoint writer = endpoint(to, QUEUE_DEPTH);
        BufferChoice choice = how.buffer();
        boolean peers = choice.kind() != BufferKind.HOST || how.verify() == VerifyMode.PEER;
        List<String> devices = new ArrayList<>();
        if (peers) {
            devices.add(target.device());
            devices.add(source.device());
            if (choice.locator() != null) {
                devices.add(choice.locator());
            }
        }
        boolean done = false;
        try {
            CopyPlan plan = plan(reader, sourceLba, writer, start(target), bytes, devices, how);
            boolean thirdMayBeBetter =
                    (choice.kind() == null && plan.mayBeBeaten())
                            || (choice.kind() == BufferKind.THIRD_PARTY_CMB
                                    && choice.locator() == null);
            if (thirdMayBeBetter) {
                devices.addAll(fabric.locators());
                plan = plan(reader, sourceLba, writer, start(target), bytes, devices, how);
            }
            done = true;
            return plan;
        } finally {
            if (!done) {
                closePorts(List.of(reader, writer));
            }
        }
    }

    /** Gives back the ports of a plan that is not run. */
    public void drop(CopyPlan plan) {
        closePorts(List.of(plan.request().source(), plan.request().target()));
    }

    /**
     * Copies, verifies and returns the receipt.
     *
     * @throws dev.peerlane.p2p.CopyException if it failed after it began
     * @throws PeerlaneException if it did not begin
     */
    public Receipt copy(Extent source, Extent target, CopyOptions how) {
        return run(plan(source, target, how), new CancelFlag(), Progress.NONE);
    }

    /**
     * Returns a fence for Reads of a namespace into a controller's memory buffer, which is enabled
     * if it is not. It is closed by the caller, or with the session.
     *
     * @param from who Reads
     * @param memoryOf the locator of the device whose memory is Read into
     * @throws PeerlaneException if there is no such memory, the way to it is not permitted, or no
     *     fence is sound on it
     */
    public ReadFence readFence(Namespace from, String memoryOf) {
        checkThread();
        BufferCandidate into =
                new BufferCandidate(memoryOf, controller(memoryOf).device().bdf(), cmb(memoryOf));
        return ReadFence.of(fabric.machine(), fabric.clock(), endpoint(from, 1), into);
    }

    /** Runs one of its plans, once, and closes the plan's ports; otherwise as {@link #copy}. */
    public Receipt run(CopyPlan plan, CancelFlag cancel, Progress progress) {
        checkThread();
        Receipt receipt;
        try {
            receipt = new CopyJob(plan, Surroundings.of(fabric), cancel).run(progress);
        } catch (PeerlaneException e) {
            try {
                drop(plan);
            } catch (RuntimeException also) {
                e.addSuppressed(also);
            }
            throw e;
        }
        drop(plan);
        return receipt;
    }

    private void closePorts(List<Endpoint> sides) {
        for (Endpoint side : sides) {
            ports.remove(side.port());
            side.port().close();
        }
    }

    private CopyPlan plan(
            Endpoint source,
            long sourceLba,
            Endpoint target,
            long targetLba,
            long bytes,
            List<String> devices,
            CopyOptions how) {
        List<BufferCandidate> candidates = new ArrayList<>();
        List<String> absences = new ArrayList<>();
        for (String device : devices.stream().distinct().toList()) {
            candidate(device, candidates, absences);
        }
        CopyRequest request =
                new CopyRequest(
                        source, sourceLba, target, targetLba, bytes, candidates, absences, how);
        return Planner.plan(request, fabric.machine());
    }

    private void candidate(String device, List<BufferCandidate> candidates, List<String> absences) {
        try {
            ControllerMemoryBuffer cmb = cmb(device);
            candidates.add(new BufferCandidate(device, controller(device).device().bdf(), cmb));
        } catch (PeerlaneException e) {
            absences.add(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Returns the CMB of a device, enabled.
     *
     * @throws PeerlaneException if it has none, or it can't be used
     */
    ControllerMemoryBuffer cmb(String device) {
        ControllerMemoryBuffer cmb = controller(device).requireCmb();
        if (!cmb.isEnabled()) {
            cmb.enable(fabric.dma());
        }
        return cmb;
    }

    private Endpoint endpoint(Namespace namespace, int depth) {
        BlockPort port = namespace.port(depth);
        ports.add(port);
        return new Endpoint(
                namespace.device().locator(),
                namespace.device().bdf(),
                namespace.controllerIdentity().sn(),
                namespace.controllerIdentity().mn(),
                namespace.nsid(),
                port);
    }

    private static long start(Extent extent) {
        Long slba = extent.slba();
        return slba == null ? 0 : slba;
    }

    private static long length(Extent extent, Namespace namespace, long slba) {
        Long blocks = extent.blocks();
        long count = blocks == null ? namespace.blockCount() - slba : blocks;
        if (slba < 0 || slba >= namespace.blockCount() || count > namespace.blockCount() - slba) {
            throw PeerlaneException.request(
                    "range-past-end",
                    "%d blocks from block %d on are asked of %s, which has %d"
                            .formatted(
                                    Math.max(count, 0),
                                    slba,
                                    namespace.name(),
                                    namespace.blockCount()),
                    "Ask for a range inside the namespace");
        }
        if (count > Long.MAX_VALUE / namespace.blockBytes()) {
            throw PeerlaneException.request(
                    "range-too-long",
                    "%d blocks of %d bytes are asked of %s: their length does not fit 63 bits"
                            .formatted(count, namespace.blockBytes(), namespace.name()),
                    "Ask for a shorter range");
        }
        return count * namespace.blockBytes();
    }

    private static void checkSameLength(
            Extent source, Extent target, long sourceBytes, long targetBytes) {
        if (targetBytes != sourceBytes) {
            throw PeerlaneException.request(
                    "sizes-differ",
                    "%s is %d bytes long, %s is %d"
                            .formatted(source, sourceBytes, target, targetBytes),
                    "Name ranges of the same length, or give the target's start alone");
        }
    }

    /** Shuts every controller down and closes the fabric, even where one of them fails. */
    @Override
    public void close() {
        checkThread();
        List<AutoCloseable> all = new ArrayList<>(ports);
        all.addAll(controllers.values());
        all.add(fabric);
        ports.clear();
        controllers.clear();
        RuntimeException first = null;
        for (AutoCloseable each : all) {
            try {
                each.close();
            } catch (Exception | InternalError e) {
                RuntimeException problem =
                        switch (e) {
                            case RuntimeException r -> r;
                            case InternalError i -> MemoryFault.of("a device", i);
                            default -> new IllegalStateException(e);
                        };
                if (first == null) {
                    first = problem;
                } else {
                    first.addSuppressed(problem);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
