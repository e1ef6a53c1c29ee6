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
 * An NVMe controller over PCIe that has been brought up: its admin queue, namespaces, I/O queue
 * pairs and controller memory buffer.
 *
 * <p>The driver does not trust the controller. Invalid capabilities, Identify data and completions
 * raise a {@link ControllerFault}. Memory that the controller could access is freed only after the
 * controller has released it or was stopped. All waits are bounded.
 *
 * <p>The thread that opens a controller owns it and everything that comes from it, and makes every
 * call. A call by another thread throws {@link IllegalStateException} before it does anything.
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

    /**
     * Opens a function of a fabric and brings its controller up. Closing the controller closes the
     * function too.
     */
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

    /**
     * Undoes a partial bring-up and returns the exception to throw. An {@link Error} is thrown at
     * once.
     */
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

    /** Cleans up after a failure: stops the controller if it was claimed, and frees everything. */
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

    /** Takes a disabled controller to the state in which it accepts commands. */
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
            CmbProbe.show(r, cap()); // another program's reset may have come between
            info = CmbInfo.read(r, cap(), vs());
        }
        // without a device, they would be all ones
        r.checkHealth("when the registers of its CMB had been read");
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
                return; // events are optional: nothing else depends on them
            }
            admin.armEvents(count);
        }
    }

    /** Returns the user's name for the controller, such as {@code emu:ssd0}. */
    public String locator() {
        return device.locator();
    }

    /** Returns the PCI function of the controller. */
    public PciDevice device() {
        return device;
    }

    /**
     * Returns the domain for the controller's own memory, which no other device of the fabric needs
     * to access.
     */
    public DmaDomain dma() {
        return dma;
    }

    /** Returns the clock of the fabric. */
    public Clock clock() {
        return clock;
    }

    /** Returns the options with which the controller was opened. */
    public ControllerOptions options() {
        return options;
    }

    /** Returns CAP, the capabilities. */
    public Cap cap() {
        return lifecycle.cap();
    }

    /** Returns VS, the version. */
    public Vs vs() {
        return lifecycle.vs();
    }

    /** Returns the Identify Controller data, which has been checked. */
    public IdentifyController identity() {
        return profile().identity();
    }

    private ControllerProfile profile() {
        if (profile == null) {
            throw ControllerFault.stopped(locator(), "it was not identified");
        }
        return profile;
    }

    /** Returns the admin queue. */
    public Admin admin() {
        return admin;
    }

    /**
     * Returns the longest transfer of one command in bytes: the smaller of MDTS and the options'
     * bound.
     */
    public int maxTransferBytes() {
        return profile().maxTransferBytes();
    }

    /** Returns the number of I/O queue pairs that the controller granted. */
    public int queuePairs() {
        return queues.limit();
    }

    /**
     * Returns whether Relaxed Ordering read back as off. If so, writes of this controller to one
     * place arrive in order.
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

    /** Returns the controller memory buffer, or empty if there is no usable one. */
    public Optional<ControllerMemoryBuffer> cmb() {
        return Optional.ofNullable(cmb);
    }

    /** Returns the reason why {@link #cmb} is empty. */
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
     * Returns the controller memory buffer.
     *
     * @throws PeerlaneException with the reason, if there is no usable one
     */
    public ControllerMemoryBuffer requireCmb() {
        return cmb().orElseThrow(() ->
                PeerlaneException.machine(
                        "no-cmb",
                        locator() + ": " + cmbAbsence().orElse("not brought up"),
                        "use the CMB of another device, or host memory"));
    }

    /** Returns why the controller takes no commands, or empty if it does. */
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

    /** Returns the identifiers of the active namespaces, in ascending order. */
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

    /** Returns all active namespaces, in ascending order of their identifiers. */
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
     * @param depth maximum number of commands in flight; limited by CAP.MQES and {@link
     *     QueuePair#MAX_DEPTH}
     * @throws PeerlaneException if no queue pair is left or the controller refuses
     */
    public QueuePair createQueuePair(int depth) {
        checkRunning();
        return queues.create(depth);
    }

    /**
     * Ensures that no command of a queue pair is in flight, now or later. Deletes the pair; if that
     * fails, resets the controller. Does nothing for a pair that was deleted before.
     *
     * @throws ControllerFault if the controller can't be stopped
     */
    private void retire(QueuePair q) {
        checkOwner();
        if (!queues.holds(q)) {
            return;
        }
        try {
            queues.delete(q);
            return;
        } catch (RuntimeException | Error e) {
            // whatever was thrown, the device may still be executing commands
            q.kill(ControllerFault.stopped(locator(), "queue deletion failed: " + e.getMessage()));
        }
        stop(ControllerFault.stopped(locator(), "it was reset: a queue could not be deleted"));
        try {
            start();
            failed = null;
        } catch (RuntimeException | Error e) {
            notBroughtUp(e); // the controller was stopped, which is what matters here
        }
    }

    /** Deletes a pair from {@link #createQueuePair}. No command of it may be in flight. */
    public void deleteQueuePair(QueuePair q) {
        retire(q);
    }

    /**
     * Stops the controller and frees the memory of its queues. The queue pairs then throw {@code
     * why}.
     *
     * @throws ControllerFault {@code controller-stuck} if it can't be stopped; the memory stays
     *     allocated
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
     * Resets the controller and brings it up again. Earlier queue pairs and ports end.
     *
     * <p>If the CMB was enabled, it is mapped and programmed again. Buffers of it stay valid unless
     * its address has to change, but their content is lost. During the reset no command of another
     * controller may use the CMB.
     *
     * @throws ControllerFault if the controller does not come back; it takes no commands then
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
        } catch (RuntimeException | Error e) {
            // includes the InternalError of a doorbell that is gone
            if (closeProblem == null) {
                closeProblem = String.valueOf(e.getMessage());
            }
        }
    }

    /** Returns the message of the first step of {@link #close} that failed, or empty. */
    public Optional<String> closeProblem() {
        return Optional.ofNullable(closeProblem);
    }

    /**
     * Implements the interfaces through which the controller's parts see it. Each part knows only
     * its own.
     */
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
