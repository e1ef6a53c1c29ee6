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
 * The shortest way to use the library: devices, which are opened when they are first needed, and
 * copies between them. {@link #close} shuts down every controller. Owned by the thread that made
 * it; calls from other threads are rejected before they have any effect.
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
    /** Enough to keep both sides busy; each slot needs one entry. */
    private static final int QUEUE_DEPTH = 128;

    private final OwnerThread thread = new OwnerThread();
    private final Endpoints endpoints;
    private final List<AutoCloseable> open = new ArrayList<>();

    private Session(Endpoints endpoints) {
        this.endpoints = endpoints;
    }

    /**
     * Opens a session on the named devices. None of them is brought up yet.
     *
     * @param locators every device that takes part, such as {@code emu:ssd0} or {@code
     *     0000:01:00.0}; none for all of the built-in emulated fabric
     * @throws PeerlaneException if the devices are not of one fabric, or the fabric can't be opened
     */
    public static Session open(String... locators) {
        return of(
                Fabrics.installed()
                        .open(null, Arrays.stream(locators).map(Locator::parse).toList()));
    }

    /** Creates a session on endpoints, and takes ownership of them. */
    public static Session of(Endpoints endpoints) {
        return new Session(endpoints);
    }

    /** Creates a session on the NVMe controllers of a fabric, and takes ownership of the fabric. */
    public static Session of(Fabric fabric) {
        return of(fabric, ControllerOptions.DEFAULTS);
    }

    /**
     * Creates a session on the NVMe controllers of a fabric, with options for every controller, and
     * takes ownership of the fabric.
     */
    public static Session of(Fabric fabric, ControllerOptions options) {
        return new Session(new NvmeEndpoints(fabric, options));
    }

    /** Returns the endpoints of this session. */
    public Endpoints endpoints() {
        return endpoints;
    }

    /**
     * Returns the fabric of the controllers.
     *
     * @throws PeerlaneException if a driver other than this library's has the devices
     */
    public Fabric fabric() {
        return nvme().fabric();
    }

    /**
     * Returns a controller, and brings it up at the first call.
     *
     * @param locator the device
     * @throws PeerlaneException if there is no such device, it can't be brought up, or a driver
     *     other than this library's has it
     */
    public Controller controller(String locator) {
        checkThread();
        return nvme().controller(locator);
    }

    /**
     * Returns the namespace that an extent names, or the only one of its device.
     *
     * @throws PeerlaneException if the namespace does not exist, if none is named and the device
     *     does not have exactly one, or if a driver other than this library's has the device
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
                                "%s of kind %s have no controller that this library drives"
                                        .formatted(endpoints.locators(), endpoints.kind()),
                                "Name devices that are bound to vfio-pci, emulated ones, or"
                                        + " those of a QEMU"));
    }

    /** Returns the name that messages use. */
    @Override
    public String toString() {
        return "the session on " + endpoints.locators();
    }

    private void checkThread() {
        thread.check(this);
    }

    /**
     * Plans a copy: opens both sides, and brings up the CMBs that may carry the data. Run the plan
     * with {@link #run}, or release it with {@link #drop}.
     *
     * @param source blocks to read
     * @param target blocks to write; without a range, as many bytes as the source has, from the
     *     first block of the target on
     * @param how buffer, verification and sizes
     * @throws PeerlaneException if the request is wrong, no memory may carry the data, or the
     *     target carries a partition table, a file system or the like and the options do not allow
     *     to overwrite it
     */
    public CopyPlan plan(Extent source, Extent target, CopyOptions how) {
        checkThread();
        Endpoint reader = open(source);
        List<Endpoint> opened = new ArrayList<>(List.of(reader));
        boolean done = false;
        try {
            if (!how.overwrite()) {
                TargetGuard.check(endpoints, target, how);
            }
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

    /**
     * Checks that a device carries nothing that a write would destroy: a partition table, a file
     * system, a part of an array or a volume, swap. It looks at the whole namespace, whatever range
     * is named, Reads into host memory and writes nothing. {@link #plan} makes this check itself.
     *
     * @throws PeerlaneException of code {@code target-carries-data} if it does, or of code {@code
     *     target-not-read} if that is not known
     */
    public void checkCarriesNothing(Extent target) {
        checkThread();
        TargetGuard.check(endpoints, target, CopyOptions.DEFAULTS);
    }

    /** Closes the ports of a plan that will not be run. */
    public void drop(CopyPlan plan) {
        closePorts(List.of(plan.request().source(), plan.request().target()));
    }

    /**
     * Copies, verifies, and returns the receipt.
     *
     * @throws dev.peerlane.copy.CopyException if the copy failed after it began
     * @throws PeerlaneException if the copy did not begin
     */
    public Receipt copy(Extent source, Extent target, CopyOptions how) {
        return run(plan(source, target, how), new CancelFlag(), Progress.NONE);
    }

    /**
     * Returns a fence for Reads of a namespace into the CMB of a controller. Enables the CMB if
     * needed. The caller closes the fence, or else the session does.
     *
     * @param from the namespace that is Read
     * @param memoryOf the locator of the device whose CMB receives the data
     * @throws PeerlaneException if there is no such memory, the route to it is not permitted, or no
     *     fence is sound on that route
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

    /**
     * Runs a plan of this session, once, and closes its ports. Errors are those of {@link #copy}.
     */
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

    /** Plans a request, with the memories of these devices as candidates. */
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
     * @throws PeerlaneException if the device has no CMB, or the CMB can't be used
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
                    "%d blocks from block %d on are requested from %s, which has %d"
                            .formatted(
                                    Math.max(count, 0), slba, endpoint.name(), limits.blockCount()),
                    "Ask for a range inside the namespace");
        }
        if (count > Long.MAX_VALUE / limits.blockBytes()) {
            throw PeerlaneException.request(
                    "range-too-long",
                    "%d blocks of %d bytes are requested from %s: their length does not fit 63 bits"
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

    /** Shuts down every controller and closes the fabric, even if one of them fails. */
    @Override
    public void close() {
        checkThread();
        List<AutoCloseable> all = new ArrayList<>(open);
        all.add(endpoints);
        open.clear();
        Closing.all(all);
    }
}
