package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PortLimits;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.parts.MemoryFault;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.NamespaceDescriptors;
import dev.peerlane.spec.wire.Reg;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An NVMe controller over PCIe, brought up: its admin queue, namespaces, I/O queue pairs and
 * controller memory buffer.
 *
 * <p>What the controller says is not trusted: absurd capabilities, identify data and completions
 * end as {@link ControllerFault}. Memory that it could reach is freed only after it was told to
 * forget it, or stopped. All waits are bounded. One thread, which opened it, owns a controller and
 * everything that comes from it, and makes every call; one by another thread is refused as {@link
 * IllegalStateException} before it has done anything.
 */
public final class Controller implements AutoCloseable {
    private static final long MICRO = 1_000L;

    private final OwnerThread owner = new OwnerThread();
    private final PciDevice device;
    private final boolean ownsDevice;
    private final DmaDomain dma;
    private final Clock clock;
    private final ControllerOptions options;
    private final Lifecycle lifecycle;
    private final Admin admin;
    private final Parts parts = new Parts();
    private final SyncIo sync;
    private final QueueSet queues;
    private final List<NvmeBlockPort> ports = new ArrayList<>();

    private @Nullable QueuePair adminQueue;
    private @Nullable DmaBuffer adminPage;
    private @Nullable ControllerProfile profile;
    private @Nullable CmbInfo cmbInfo;
    private CmbProbe.@Nullable Result cmbFound;
    private @Nullable ControllerMemoryBuffer cmb;
    private @Nullable ControllerFault failed;
    private @Nullable String closeProblem;
    private boolean relaxedOrderingOff;
    private boolean closed;

    private Controller(
            PciDevice device,
            boolean ownsDevice,
            DmaDomain dma,
            Clock clock,
            ControllerOptions options) {
        this.device = device;
        this.ownsDevice = ownsDevice;
        this.dma = dma.forDevice(device);
        this.clock = clock;
        this.options = options;
        this.lifecycle = new Lifecycle(device, clock, options);
        this.admin = new Admin(device, owner, clock, options);
        this.queues = new QueueSet(device.locator(), this.dma, lifecycle, admin);
        this.sync =
                new SyncIo(
                        parts, device.locator(), owner, this.dma, clock, options.ioTimeoutNanos());
    }

    /**
     * Brings a controller up: claims it, disables it, sets its admin queue up, enables it and asks
     * it what it is. Relaxed Ordering is turned off, and a CMB window that somebody left is taken
     * down.
     *
     * @param device the function, which the caller closes after the controller
     * @throws PeerlaneException if it is no controller that can be used, or fails; nothing stays
     *     allocated then
     */
    public static Controller open(
            PciDevice device, DmaDomain dma, Clock clock, ControllerOptions options) {
        return open(new Controller(device, false, dma, clock, options));
    }

    /** Opens a function of a fabric and brings it up; closing the controller closes it too. */
    public static Controller open(Fabric fabric, String locator, ControllerOptions options) {
        PciDevice device = fabric.open(locator);
        try {
            return open(new Controller(device, true, fabric.dma(), fabric.clock(), options));
        } catch (RuntimeException | Error e) {
            device.close();
            throw e;
        }
    }

    private static Controller open(Controller controller) {
        try {
            controller.lifecycle.claim();
            controller.lifecycle.disableOnArrival();
            controller.relaxedOrderingOff = controller.lifecycle.relaxedOrderingOff();
            controller.start();
            return controller;
        } catch (RuntimeException | Error e) {
            throw controller.notBroughtUp(e);
        }
    }

    /** Stops what was begun, and returns what to throw; an error of the machine's it throws. */
    private RuntimeException notBroughtUp(Throwable why) {
        RuntimeException typed =
                switch (why) {
                    case InternalError e -> MemoryFault.of(locator(), e);
                    case Error e -> new IllegalStateException(e);
                    default -> lifecycle.explain((RuntimeException) why, "when it was brought up");
                };
        abandon(typed);
        if (why instanceof Error e && !(e instanceof InternalError)) {
            throw e;
        }
        return typed;
    }

    /** After a failure: stops the controller if that was reached, and frees everything. */
    private void abandon(RuntimeException why) {
        failed =
                why instanceof ControllerFault fault
                        ? fault
                        : ControllerFault.stopped(locator(), "it could not be brought up");
        Incidents.fault(failed);
        try {
            if (adminQueue != null) {
                stop(failed);
                device.busMaster(false);
            }
        } catch (RuntimeException | Error e) {
            why.addSuppressed(e);
        }
    }

    /** From a disabled controller to one that takes commands. */
    private void start() {
        Registers r = lifecycle.registers();
        if (cmbFound == null) {
            CmbProbe.show(r, cap());
        }
        int entries =
                Integer.highestOneBit(
                        Math.min(
                                Math.min(options.adminEntries(), cap().maxQueueEntries()),
                                QueuePair.MAX_DEPTH + 1));
        QueuePair queue = new QueuePair(r, dma, null, cap().dstrd(), 0, entries - 1);
        adminQueue = queue;
        DmaBuffer page = dma.allocate(PrpList.PAGE);
        adminPage = page;
        lifecycle.enable(queue);
        admin.attach(queue, page);
        profile = ControllerProfile.read(locator(), admin, cap(), options);
        queues.limit(profile.askForQueues(r));
        if (options.shadowDoorbells() && identity().supportsDoorbellBuffer()) {
            queues.offerShadowDoorbells();
        }
        if (cmbFound == null) {
            findCmb(r);
        }
        if (cmb != null) {
            cmb.afterReset();
        }
        setUpEvents();
    }

    private void findCmb(Registers r) {
        CmbInfo info = CmbInfo.read(r, cap(), vs());
        if (cap().cmbs() && !info.cmbmsc().cre()) {
            CmbProbe.show(r, cap()); // somebody's reset came between
            info = CmbInfo.read(r, cap(), vs());
        }
        r.checkHealth("when the registers of its CMB had been read"); // they may be of no device
        cmbInfo = info;
        CmbProbe.Result found =
                CmbProbe.locate(
                        device, info, Reg.sqTailDoorbell(queues.limit() + 1, cap().dstrd()));
        cmbFound = found;
        if (found instanceof CmbProbe.Found at) {
            cmb = new ControllerMemoryBuffer(parts, owner, device, info, at);
        }
    }

    private void setUpEvents() {
        int count = Math.min(options.asyncEvents(), identity().asyncEventLimit());
        count = Math.min(count, admin.depth() - 2);
        if (count > 0) {
            int notices = identity().oaes() & Feature.EVENT_NAMESPACE_ATTRIBUTE;
            try {
                admin.changeFeature(
                        Feature.ASYNC_EVENT_CONFIG,
                        Feature.asyncEventConfig(IdentityCheck.CRITICAL_WARNINGS, notices));
            } catch (NvmeStatusException e) {
                return; // events are a courtesy: without them nothing else is missing
            }
            admin.armEvents(count);
        }
    }

    /** Returns the name by which a user calls it. */
    public String locator() {
        return device.locator();
    }

    /** Returns the function. */
    public PciDevice device() {
        return device;
    }

    /** Returns the domain of its own memory, which no other device of the fabric need reach. */
    public DmaDomain dma() {
        return dma;
    }

    /** Returns the time and the waiting place. */
    public Clock clock() {
        return clock;
    }

    /** Returns the options it was opened with. */
    public ControllerOptions options() {
        return options;
    }

    /** Returns CAP. */
    public Cap cap() {
        return lifecycle.cap();
    }

    /** Returns VS. */
    public Vs vs() {
        return lifecycle.vs();
    }

    /** Returns the Identify Controller data, checked. */
    public IdentifyController identity() {
        return profile().identity();
    }

    private ControllerProfile profile() {
        if (profile == null) {
            throw ControllerFault.stopped(locator(), "it was not identified");
        }
        return profile;
    }

    /** Returns the admin commands. */
    public Admin admin() {
        return admin;
    }

    /** Returns the longest transfer of one command in bytes: MDTS or the options' bound. */
    public int maxTransferBytes() {
        return profile().maxTransferBytes();
    }

    /** Returns how many I/O queue pairs the controller granted. */
    public int queuePairs() {
        return queues.limit();
    }

    /**
     * Returns whether Relaxed Ordering was read back as off: then writes of this controller to one
     * place arrive in their order.
     */
    public boolean relaxedOrderingOff() {
        return relaxedOrderingOff;
    }

    /** Returns the fields of the registers of the CMB and the PMR, as read at bring-up. */
    public List<CmbField> cmbFields() {
        if (cmbInfo == null) {
            throw ControllerFault.stopped(locator(), "it was not brought up");
        }
        return CmbField.of(cmbInfo);
    }

    /** Returns its controller memory buffer, if it has one that can be used. */
    public Optional<ControllerMemoryBuffer> cmb() {
        return Optional.ofNullable(cmb);
    }

    /** Returns why {@link #cmb} is empty. */
    public Optional<String> cmbAbsence() {
        return absence().map(CmbAbsence::text);
    }

    Optional<CmbAbsence> absence() {
        return cmbFound instanceof CmbProbe.Absent absent
                ? Optional.of(absent.absence())
                : Optional.empty();
    }

    /**
     * Overwrites what a killed process left in the CMB, and from now on records which parts of it
     * are in use, so that whoever opens this device next can do the same.
     *
     * @param state the directory of the records, such as {@code /run/peerlane}
     * @param fabricDma the domain of its fabric; the CMB is enabled for a moment if it must be
     * @throws PeerlaneException if a record can't be read or written, or the CMB not overwritten
     */
    public void recordCmbUse(Path state, DmaDomain fabricDma) {
        if (cmb != null) {
            Leftovers.in(state).adopt(cmb, device.bdf(), identity().sn(), fabricDma);
        }
    }

    /**
     * Returns its controller memory buffer.
     *
     * @throws PeerlaneException with the reason, if it has none
     */
    public ControllerMemoryBuffer requireCmb() {
        return cmb().orElseThrow(() ->
                PeerlaneException.machine(
                        "no-cmb",
                        locator() + ": " + cmbAbsence().orElse("not brought up"),
                        "use the CMB of another device, or host memory"));
    }

    /** Returns why the controller takes no commands, if so. */
    public Optional<ControllerFault> failure() {
        return failed != null || adminQueue == null
                ? Optional.ofNullable(failed)
                : adminQueue.fault();
    }

    private void checkOwner() {
        owner.check(locator());
    }

    private void checkRunning() {
        checkOwner();
        if (closed) {
            throw new IllegalStateException(locator() + ": the controller is closed");
        }
        failure()
                .ifPresent(e -> {
                    throw e;
                });
    }

    /** Returns the identifiers of the active namespaces, in rising order. */
    public int[] activeNamespaces() {
        checkRunning();
        return namespaceFinder().active();
    }

    /**
     * Returns a namespace.
     *
     * @throws PeerlaneException of category REQUEST if there is none with that identifier
     */
    public Namespace namespace(int nsid) {
        checkRunning();
        return namespaceFinder().find(nsid);
    }

    /** Returns all active namespaces. */
    public List<Namespace> namespaces() {
        checkRunning();
        return namespaceFinder().all();
    }

    private NamespaceFinder namespaceFinder() {
        return new NamespaceFinder(parts, locator(), admin, vs(), identity().nn());
    }

    /**
     * Creates an I/O queue pair: the completion queue, then the submission queue (5.4, 5.5).
     *
     * @param depth how many commands at once; CAP.MQES and {@link QueuePair#MAX_DEPTH} bound it
     * @throws PeerlaneException if no queue pair is left or the controller refuses
     */
    public QueuePair createQueuePair(int depth) {
        checkRunning();
        return queues.create(depth);
    }

    /**
     * Makes sure that no command of a queue pair is in flight, now and later: deletes it, or where
     * that fails resets the controller. Does nothing for a pair that is gone.
     *
     * @throws ControllerFault if the controller can't even be stopped
     */
    private void retire(QueuePair q) {
        checkOwner();
        if (!queues.holds(q)) {
            return;
        }
        try {
            queues.delete(q);
            return;
        } catch (RuntimeException | Error e) { // whatever it was: the device may be at work on it
            q.kill(ControllerFault.stopped(locator(), "queue deletion failed: " + e.getMessage()));
        }
        stop(ControllerFault.stopped(locator(), "it was reset: a queue could not be deleted"));
        try {
            start();
            failed = null;
        } catch (RuntimeException | Error e) {
            notBroughtUp(e); // stopped all the same, which is what was asked for
        }
    }

    /** Gives a pair from {@link #createQueuePair} back, with no command of it in flight. */
    public void deleteQueuePair(QueuePair q) {
        retire(q);
    }

    /**
     * Stops the controller and frees its queues. Their owners find them ended.
     *
     * @throws ControllerFault {@code controller-stuck} if it can't be stopped; the memory stays
     */
    private void stop(ControllerFault why) {
        failed = why;
        admin.detach();
        queues.killAll(why);
        if (adminQueue != null) {
            adminQueue.kill(why);
        }
        lifecycle.stop(() -> {
            if (cmb != null) {
                cmb.beforeFunctionReset();
            }
        });
        relaxedOrderingOff = lifecycle.relaxedOrderingOff();
        queues.freeAll();
        sync.free();
        if (adminQueue != null) {
            adminQueue.free();
            adminQueue = null;
        }
        if (adminPage != null) {
            adminPage.close();
            adminPage = null;
        }
    }

    /**
     * Resets the controller and brings it up again. Queue pairs and ports of before are ended; the
     * CMB, if it was enabled, is mapped and programmed again, and buffers of it stay valid as long
     * as its address did not have to change (their content does not). No command of another
     * controller may use the CMB meanwhile.
     *
     * @throws ControllerFault if it does not come back; it takes no commands then
     */
    public void reset() {
        checkOwner();
        if (closed) {
            throw new IllegalStateException(locator() + ": the controller is closed");
        }
        stop(ControllerFault.stopped(locator(), "it was reset"));
        try {
            lifecycle.registers().csts("after the reset");
            start();
            failed = null;
        } catch (RuntimeException | Error e) {
            throw notBroughtUp(e);
        }
    }

    /**
     * Takes the controller down: deletes its queues, overwrites what open buffers of its CMB hold,
     * shuts it down in order, stops it, takes the CMB's mapping away, and frees the memory. Every
     * step is bounded, and the next follows even if it fails. Closing again has no effect.
     *
     * @see #closeProblem
     */
    @Override
    public void close() {
        checkOwner();
        if (closed) {
            return;
        }
        attempt(this::leaveInOrder);
        ControllerFault why = ControllerFault.stopped(locator(), "it was closed");
        attempt(() -> stop(why));
        if (cmb != null) {
            attempt(cmb::shutDown);
        }
        closed = true;
        List.copyOf(ports).forEach(port -> attempt(port::close));
        attempt(() -> device.busMaster(false));
        if (ownsDevice) {
            attempt(device::close);
        }
    }

    private void leaveInOrder() {
        if (failed != null) {
            return;
        }
        lifecycle.registers().checkHealth("when it was to be closed");
        queues.deleteAll();
        if (cmb != null) {
            cmb.wipeOpen();
        }
        long declared =
                identity().rtd3e() == 0
                        ? Long.MAX_VALUE
                        : identity().rtd3e() * MICRO + options.readyGraceNanos();
        String problem = lifecycle.shutdown(declared);
        if (problem != null) {
            throw ControllerFault.stopped(locator(), problem);
        }
    }

    private void attempt(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) { // an InternalError: a doorbell that is gone
            if (closeProblem == null) {
                closeProblem = String.valueOf(e.getMessage());
            }
        }
    }

    /** Returns what the first step of {@link #close} that did not work said. */
    public Optional<String> closeProblem() {
        return Optional.ofNullable(closeProblem);
    }

    /** What its parts see of it; each knows the interface beside it alone. */
    private final class Parts
            implements SyncIo.Host,
                    ControllerMemoryBuffer.Host,
                    NamespaceFinder.Host,
                    Namespace.Host,
                    NvmeBlockPort.Host {
        @Override
        public PciDevice device() {
            return device;
        }

        @Override
        public DmaDomain dma() {
            return dma;
        }

        @Override
        public Registers registers() {
            return lifecycle.registers();
        }

        @Override
        public ControllerProfile profile() {
            return Controller.this.profile();
        }

        @Override
        public boolean usesSgls() {
            return Controller.this.profile().usesSgls();
        }

        @Override
        public ControllerMemoryBuffer requireCmb() {
            return Controller.this.requireCmb();
        }

        @Override
        public void checkOwner() {
            Controller.this.checkOwner();
        }

        @Override
        public void checkRunning() {
            Controller.this.checkRunning();
        }

        @Override
        public RuntimeException explain(RuntimeException seen, String when) {
            return lifecycle.explain(seen, when);
        }

        @Override
        public String condition() {
            return lifecycle.registers().condition();
        }

        @Override
        public SyncIo sync() {
            Controller.this.checkRunning();
            return sync;
        }

        @Override
        public Namespace namespace(
                int nsid,
                int commandSet,
                @Nullable IdentifyNamespace identity,
                @Nullable NamespaceDescriptors descriptors) {
            return new Namespace(this, nsid, commandSet, identity, descriptors);
        }

        @Override
        public QueuePair createQueuePair(int depth) {
            return Controller.this.createQueuePair(depth);
        }

        @Override
        public void retire(QueuePair q) {
            Controller.this.retire(q);
        }

        @Override
        public String abort(int sqid, int cid) {
            return admin.abort(sqid, cid);
        }

        @Override
        public NvmeBlockPort port(String name, int nsid, QueuePair queue, PortLimits limits) {
            NvmeBlockPort port = new NvmeBlockPort(this, name, nsid, queue, limits);
            ports.add(port);
            return port;
        }

        @Override
        public void forget(NvmeBlockPort port) {
            ports.remove(port);
        }
    }
}
