package dev.peerlane.vfio;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.hal.parts.SpinningClock;
import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.sysfs.SysfsFunction;
import dev.peerlane.pci.sysfs.SysfsTree;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A fabric of PCI functions of this machine that are bound to vfio-pci, in one I/O address space.
 * Locators are PCI addresses: {@code 0000:01:00.0}.
 *
 * <p>The fabric holds the functions' IOMMU groups until it is closed; no other process can use them
 * meanwhile. Only the thread that opened the fabric may use it; a call from another thread throws
 * before it has any effect.
 */
public final class VfioFabric extends Fabric {
    private static final int TURNS_TO_YIELD = 256;

    private final OwnerThread thread = new OwnerThread();
    private final Kernel kernel;
    private final VfioOptions options;
    private final Clock clock;
    private final List<Bdf> members;
    private final VfioSystem system;
    private final IoSpace space;
    private final VfioDma dma;
    private final List<VfioDevice> open = new ArrayList<>();
    private boolean closed;

    private VfioFabric(
            Kernel kernel,
            VfioOptions options,
            Clock clock,
            List<Bdf> members,
            VfioSystem system,
            IoSpace space) {
        this.kernel = kernel;
        this.options = options;
        this.clock = clock;
        this.members = members;
        this.system = system;
        this.space = space;
        PinnedMemory memory =
                new PinnedMemory(kernel, system, options.hugePages(), space.needsHugePages());
        dma = new VfioDma(space, memory, system.decoded(), this::obstacle);
    }

    /**
     * Opens a fabric of functions.
     *
     * @param kernel {@link dev.peerlane.linux.KernelCalls#instance}
     * @param devices all the functions that take part in peer-to-peer transfers; each is bound to
     *     vfio-pci
     * @param options the interface to use, and whether functions are reset
     * @throws PeerlaneException if a function is missing or not bound to vfio-pci, if a group can't
     *     be opened, or if there is no IOMMU; nothing stays open then
     */
    public static VfioFabric open(Kernel kernel, List<Bdf> devices, VfioOptions options) {
        return open(kernel, devices, options, new SpinningClock(TURNS_TO_YIELD));
    }

    static VfioFabric open(Kernel kernel, List<Bdf> devices, VfioOptions options, Clock clock) {
        List<Bdf> members = List.copyOf(new TreeSet<>(devices));
        if (members.isEmpty()) {
            throw PeerlaneException.request(
                    "no-devices", "no PCI function is named", "Name one, such as 0000:01:00.0");
        }
        VfioSystem system = new VfioSystem(options);
        for (Bdf bdf : members) {
            system.require(bdf);
            if (!options.enableUnsafeNoIommuMode()) {
                refuseWithoutIommu(bdf, system);
            }
        }
        IoSpace space = openSpace(kernel, members, options, system);
        try {
            return new VfioFabric(kernel, options, clock, members, system, space);
        } catch (RuntimeException e) {
            new MemoryCleanup().step(space::close).finish(e);
            throw e;
        }
    }

    private static void refuseWithoutIommu(Bdf bdf, VfioSystem system) {
        int group = system.groupOf(bdf);
        if (system.isWithoutIommu(group)) {
            throw PeerlaneException.refused(
                    "no-iommu-mode",
                    "%s is in group %d of vfio's mode without an IOMMU, where a device can overwrite"
                                    .formatted(bdf, group)
                            + " any memory",
                    "Turn the IOMMU on (firmware; Intel's with intel_iommu=on), and"
                            + " enable_unsafe_noiommu_mode of the vfio module off; or ask for it by"
                            + " that name");
        }
    }

    private static IoSpace openSpace(
            Kernel kernel, List<Bdf> members, VfioOptions options, VfioSystem system) {
        List<Bdf> bare =
                members.stream().filter(b -> system.isWithoutIommu(system.groupOf(b))).toList();
        if (!bare.isEmpty()) {
            if (bare.size() < members.size()) {
                throw PeerlaneException.machine(
                        "iommu-mixed",
                        "%s have no IOMMU, others of %s have".formatted(bare, members),
                        "Use devices of one kind together");
            }
            int container = Type1Space.openContainer(kernel);
            return NoIommuSpace.open(kernel, container, members, system);
        }
        boolean nodes = members.stream().allMatch(bdf -> system.deviceNode(bdf) != null);
        boolean newOnly = options.api() == VfioOptions.Api.IOMMUFD;
        if (newOnly) {
            return IommufdSpace.open(kernel, members, system);
        }
        boolean mayBeNew = options.api() == VfioOptions.Api.AUTO && nodes;
        int container;
        try {
            container = Type1Space.openContainer(kernel);
        } catch (KernelException e) {
            if (mayBeNew && (e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV)) {
                return IommufdSpace.open(kernel, members, system);
            }
            throw e;
        }
        boolean compatibility = Type1Space.isCompatibilityLayer(kernel, container);
        if (compatibility && mayBeNew) {
            KernelException.close(kernel, container, Type1Space.CONTAINER);
            return IommufdSpace.open(kernel, members, system);
        }
        return Type1Space.open(kernel, container, compatibility, members, system);
    }

    @Override
    public String kind() {
        return "vfio";
    }

    @Override
    public FabricTraits traits() {
        return new FabricTraits(options.system().state(), null);
    }

    /** Returns the name of the kernel's interface in use, for messages. */
    public String api() {
        return space.name();
    }

    @Override
    public List<String> locators() {
        return members.stream().map(Bdf::toString).toList();
    }

    @Override
    public PciDevice open(String locator) {
        return openDevice(locator);
    }

    /** Opens a function as {@link #open(String)} does, and returns it with its own type. */
    public VfioDevice openDevice(String locator) {
        checkOpen();
        Bdf bdf = Bdf.parse(locator);
        if (!members.contains(bdf)) {
            throw PeerlaneException.request(
                    "no-such-device",
                    "%s is not among the functions of this fabric".formatted(locator),
                    "Use one of " + members);
        }
        if (open.stream().anyMatch(device -> device.bdf().equals(bdf))) {
            throw PeerlaneException.machine(
                    "device-in-use", locator + " is open already", "Close it first");
        }
        VfioDevice device = new VfioDevice(new Devices(), kernel, bdf, space.openDevice(bdf));
        open.add(device);
        try {
            device.start(options.resetOnOpen());
            return device;
        } catch (RuntimeException e) {
            new MemoryCleanup().step(device::close).finish(e);
            throw e;
        }
    }

    @Override
    public DmaDomain dma() {
        return dma;
    }

    @Override
    public Clock clock() {
        return clock;
    }

    /** Returns a snapshot of the PCI tree, read from sysfs at this moment. */
    @Override
    public Machine machine() {
        checkThread();
        SysfsTree tree = SysfsTree.read(options.system().sys(), f -> members.contains(f.bdf()));
        return tree.machine(function -> members.contains(function.bdf()));
    }

    @Override
    public Optional<TrafficCounters> traffic() {
        return Optional.empty();
    }

    /**
     * Checks that a BAR's address on the bus is the one in sysfs. Where they differ, an identity
     * mapping would map the wrong address.
     */
    private void checkBarAddress(Bdf bdf, int index, long address) {
        long shown =
                system.tree().function(bdf).stream()
                        .map(SysfsFunction::function)
                        .flatMap(f -> f.bars().stream())
                        .filter(bar -> bar.index() == index)
                        .mapToLong(PciFunction.BarWindow::address)
                        .findFirst()
                        .orElse(-1);
        if (shown != address) {
            throw PeerlaneException.machine(
                    "bar-address-unclear",
                    "BAR%d of %s is at 0x%x on the bus, and sysfs has it at 0x%x"
                            .formatted(index, bdf, address, shown),
                    "Only machines whose bus addresses are the processor's can be used");
        }
    }

    /**
     * Returns why a BAR has to be mapped at its own bus address, or null. The reason is a bridge
     * that may route by address past the IOMMU.
     */
    private @Nullable String obstacle(PciDevice owner) {
        Machine machine = machine();
        for (Bdf initiator : members) {
            if (initiator.equals(owner.bdf())) {
                continue;
            }
            List<PciFunction> bridges = Route.between(machine, initiator, owner.bdf()).bridges();
            if (bridges.isEmpty()) {
                return "No other address is safe, since no bridge that redirects is between "
                        + initiator
                        + " and it";
            }
            for (PciFunction bridge : bridges) {
                boolean forwardsOnly = bridge.kind() == PciFunction.Kind.SWITCH_UPSTREAM;
                boolean redirects =
                        bridge.acs() != null
                                && bridge.acs().known()
                                && bridge.acs().requestRedirect();
                if (!forwardsOnly && !redirects) {
                    return "No other address is safe, since "
                            + bridge.bdf()
                            + " may route by address past the IOMMU";
                }
            }
        }
        return null;
    }

    /** Returns the fabric's name for messages. */
    @Override
    public String toString() {
        return "the fabric of " + members;
    }

    private void checkThread() {
        thread.check(this);
    }

    private void checkOpen() {
        checkThread();
        if (closed) {
            throw new IllegalStateException("this fabric is closed");
        }
    }

    @Override
    public void close() {
        checkThread();
        if (closed) {
            return;
        }
        closed = true;
        Cleanup cleanup = new MemoryCleanup();
        List.copyOf(open).forEach(device -> cleanup.step(device::close));
        cleanup.step(dma::close).step(space::close).finish();
    }

    /** The fabric as its devices call it. */
    private final class Devices implements VfioDevice.Host {
        @Override
        public void checkThread() {
            VfioFabric.this.checkThread();
        }

        @Override
        public Clock clock() {
            return clock;
        }

        @Override
        public DmaDomain dma() {
            return dma;
        }

        @Override
        public void checkBarAddress(Bdf bdf, int index, long address) {
            VfioFabric.this.checkBarAddress(bdf, index, address);
        }

        @Override
        public void beforeReset(VfioDevice device) {
            dma.beforeReset(device);
        }

        @Override
        public void afterReset(VfioDevice device) {
            dma.afterReset(device);
        }

        @Override
        public void dropPeersOf(VfioDevice device) {
            dma.dropPeersOf(device);
        }

        @Override
        public void released(VfioDevice device) {
            open.remove(device);
        }

        @Override
        public void closeDevice(Bdf bdf, int fd) {
            space.closeDevice(bdf, fd);
        }
    }
}
