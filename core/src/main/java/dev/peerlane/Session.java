package dev.peerlane;

import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PortLimits;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.ReadFence;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.copy.engine.CopyJob;
import dev.peerlane.copy.engine.SentinelReadFence;
import dev.peerlane.copy.planning.Planner;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Devices between which data can be moved, opened as they are needed, and copies between them: the
 * shortest way to use the library. Closing it shuts every controller down. The thread that made it
 * owns it; others are refused before they have done anything.
 *
 * <pre>{@code
 * try (Session session = Session.open("emu:ssd0", "emu:ssd1")) {
 *     Receipt receipt =
 *             session.copy(
 *                     Extent.of("emu:ssd0"), Extent.of("emu:ssd1"), CopyOptions.DEFAULTS);
 * }
 * }</pre>
 */
public final class Session implements AutoCloseable {
    /** Enough for both sides to be busy; a slot needs one entry. */
    private static final int QUEUE_DEPTH = 128;

    private final OwnerThread thread = new OwnerThread();
    private final Endpoints endpoints;
    private final List<AutoCloseable> open = new ArrayList<>();

    private Session(Endpoints endpoints) {
        this.endpoints = endpoints;
    }

    /**
     * Makes a session of the named devices. None of them is brought up yet.
     *
     * @param locators every device that is to take part, such as {@code emu:ssd0} or {@code
     *     0000:01:00.0}; none for all of the built-in emulated fabric
     * @throws PeerlaneException if they are not devices of one fabric, or it can't be opened
     */
    public static Session open(String... locators) {
        return of(
                Fabrics.installed()
                        .open(null, Arrays.stream(locators).map(Locator::parse).toList()));
    }

    /** Makes a session of endpoints, which it closes in the end. */
    public static Session of(Endpoints endpoints) {
        return new Session(endpoints);
    }

    /** Makes a session of a fabric's NVMe controllers, which it closes in the end. */
    public static Session of(Fabric fabric) {
        return of(fabric, ControllerOptions.DEFAULTS);
    }

    /** Makes a session with bounds of its own for every controller. */
    public static Session of(Fabric fabric, ControllerOptions options) {
        return new Session(new NvmeEndpoints(fabric, options));
    }

    /** Returns what it was made of. */
    public Endpoints endpoints() {
        return endpoints;
    }

    /**
     * Returns the fabric.
     *
     * @throws PeerlaneException if another driver than this library's has the devices
     */
    public Fabric fabric() {
        return nvme().fabric();
    }

    /**
     * Returns a controller, brought up at the first call.
     *
     * @param locator the device
     * @throws PeerlaneException if there is no such device, it can't be brought up, or another
     *     driver than this library's has it
     */
    public Controller controller(String locator) {
        checkThread();
        return nvme().controller(locator);
    }

    /**
     * Returns a namespace: the named one, or the only one.
     *
     * @throws PeerlaneException if it does not exist, none is named and there is not exactly one,
     *     or another driver than this library's has the device
     */
    public Namespace namespace(Extent extent) {
        checkThread();
        return nvme().namespace(extent);
    }

    private NvmeControllers nvme() {
        return endpoints
                .controllers()
                .orElseThrow(() ->
                        PeerlaneException.request(
                                "no-controller",
                                "%s of kind %s have no controller that this can talk to"
                                        .formatted(endpoints.locators(), endpoints.kind()),
                                "Name devices that are bound to vfio-pci, emulated ones, or"
                                        + " those of a QEMU"));
    }

    /** Returns its name as messages have it. */
    @Override
    public String toString() {
        return "the session on " + endpoints.locators();
    }

    private void checkThread() {
        thread.check(this);
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
        Endpoint reader = open(source);
        List<Endpoint> opened = new ArrayList<>(List.of(reader));
        boolean done = false;
        try {
            Endpoint writer = open(target);
            opened.add(writer);
            CopyPlan plan = plan(source, reader, target, writer, how);
            done = true;
            return plan;
        } finally {
            if (!done) {
                closePorts(opened);
            }
        }
    }

    private CopyPlan plan(
            Extent source, Endpoint reader, Extent target, Endpoint writer, CopyOptions how) {
        long sourceLba = start(source);
        long bytes = length(source, reader, sourceLba);
        if (target.blocks() != null) {
            checkSameLength(source, target, bytes, length(target, writer, start(target)));
        }
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
        CopyRequest request =
                new CopyRequest(
                        reader, sourceLba, writer, start(target), bytes, List.of(), List.of(), how);
        CopyPlan plan = plan(request, devices);
        boolean thirdMayBeBetter =
                (choice.kind() == null && plan.mayBeBeaten())
                        || (choice.kind() == BufferKind.THIRD_PARTY_CMB
                                && choice.locator() == null);
        if (thirdMayBeBetter) {
            devices.addAll(endpoints.locators());
            plan = plan(request, devices);
        }
        return plan;
    }

    /** Gives back the ports of a plan that is not run. */
    public void drop(CopyPlan plan) {
        closePorts(List.of(plan.request().source(), plan.request().target()));
    }

    /**
     * Copies, verifies and returns the receipt.
     *
     * @throws dev.peerlane.copy.CopyException if it failed after it began
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
        BufferCandidate into = endpoints.memory(memoryOf);
        Endpoint reader = NvmeEndpoints.endpoint(from, 1);
        ReadFence fence =
                SentinelReadFence.of(endpoints.machine(), endpoints.clock(), reader, into);
        open.add(fence);
        return fence;
    }

    /** Runs one of its plans, once, and closes the plan's ports; otherwise as {@link #copy}. */
    public Receipt run(CopyPlan plan, CancelFlag cancel, Progress progress) {
        checkThread();
        Receipt receipt;
        try {
            receipt = new CopyJob(plan, endpoints, cancel).run(progress);
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
        List<BlockPort> closing = sides.stream().map(Endpoint::port).toList();
        open.removeAll(closing);
        Closing.all(closing);
    }

    /** Plans a request with the memories of these devices as candidates. */
    private CopyPlan plan(CopyRequest request, List<String> devices) {
        List<BufferCandidate> candidates = new ArrayList<>();
        List<String> absences = new ArrayList<>();
        for (String device : devices.stream().distinct().toList()) {
            candidate(device, candidates, absences);
        }
        return Planner.plan(request.with(candidates, absences), endpoints.machine());
    }

    private void candidate(String device, List<BufferCandidate> candidates, List<String> absences) {
        try {
            candidates.add(endpoints.memory(device));
        } catch (PeerlaneException e) {
            absences.add(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Returns the CMB of a device, enabled.
     *
     * @throws PeerlaneException if it has none, or it can't be used
     */
    public ControllerMemoryBuffer cmb(String device) {
        checkThread();
        return nvme().cmb(device);
    }

    private Endpoint open(Extent extent) {
        Endpoint endpoint = endpoints.endpoint(extent, QUEUE_DEPTH);
        open.add(endpoint.port());
        return endpoint;
    }

    private static long start(Extent extent) {
        Long slba = extent.slba();
        return slba == null ? 0 : slba;
    }

    private static long length(Extent extent, Endpoint endpoint, long slba) {
        PortLimits limits = endpoint.port().limits();
        Long blocks = extent.blocks();
        long count = blocks == null ? limits.blockCount() - slba : blocks;
        if (slba < 0 || slba >= limits.blockCount() || count > limits.blockCount() - slba) {
            throw PeerlaneException.request(
                    "range-past-end",
                    "%d blocks from block %d on are asked of %s, which has %d"
                            .formatted(
                                    Math.max(count, 0), slba, endpoint.name(), limits.blockCount()),
                    "Ask for a range inside the namespace");
        }
        if (count > Long.MAX_VALUE / limits.blockBytes()) {
            throw PeerlaneException.request(
                    "range-too-long",
                    "%d blocks of %d bytes are asked of %s: their length does not fit 63 bits"
                            .formatted(count, limits.blockBytes(), endpoint.name()),
                    "Ask for a shorter range");
        }
        return count * limits.blockBytes();
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
        List<AutoCloseable> all = new ArrayList<>(open);
        all.add(endpoints);
        open.clear();
        Closing.all(all);
    }
}
