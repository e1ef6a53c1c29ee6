package dev.peerlane.emulator;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.bus.FastInterconnect;
import dev.peerlane.emulator.bus.FaultLog;
import dev.peerlane.emulator.bus.FaultPlan;
import dev.peerlane.emulator.bus.Interconnect;
import dev.peerlane.emulator.bus.PacketInterconnect;
import dev.peerlane.emulator.controller.NvmeController;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.DmaCounts;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.tree.FabricOwner;
import dev.peerlane.emulator.tree.PciTree;
import dev.peerlane.emulator.watch.BusWatch;
import dev.peerlane.emulator.watch.PeerFlow;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.Machine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A fabric of emulated drives, whose locators are {@code emu:NAME}. The thread that made the fabric
 * owns it and everything opened from it; calls from other threads are rejected before they have any
 * effect. Controllers and packets move only while {@link Clock#turn} is called on {@link #clock}.
 */
public final class EmulatedFabric extends Fabric {
    private final FabricOwner owner = new FabricOwner();
    private final FabricModel model;
    private final Arena arena = Arena.ofShared();
    private final AddressMap map = new AddressMap();
    private final FaultLog faults = new FaultLog();
    private final EmulatedDma hostMemory;
    private final Interconnect interconnect;
    private final @Nullable PacketInterconnect packets;
    private final EmulatedClock clock;
    private final List<EmulatedFunction> functions;
    private final Map<String, EmulatedFunction> drives = new LinkedHashMap<>();
    private final Map<String, NvmeController> controllers = new LinkedHashMap<>();
    private final Map<String, EmulatedDevice> open = new HashMap<>();
    private final FaultPlan hostPlan;
    private boolean closed;

    /**
     * Creates a fabric and opens its images.
     *
     * @throws PeerlaneException if an image can't be opened or the PCI tree does not fit
     */
    public EmulatedFabric(FabricModel model) {
        this(model, null);
    }

    /**
     * Creates a fabric whose CMBs are in the caller's memory.
     *
     * @param barMemory allocates zeroed memory with the requested alignment for each BAR with a
     *     CMB; it must stay valid until the fabric is closed; null to let the fabric allocate it
     * @throws PeerlaneException if an image can't be opened or the PCI tree does not fit
     */
    public EmulatedFabric(FabricModel model, @Nullable SegmentAllocator barMemory) {
        this.model = model;
        this.hostPlan = new FaultPlan(model.faults(), null);
        this.hostMemory = new EmulatedDma(owner, map, model.iommu(), hostPlan);
        SplittableRandom random = new SplittableRandom(model.seed());
        PacketModel packetModel = model.packets();
        this.packets =
                packetModel == null
                        ? null
                        : new PacketInterconnect(
                                map,
                                model,
                                packetModel,
                                new SplittableRandom(~model.seed()),
                                faults);
        this.interconnect =
                packets == null ? new FastInterconnect(map, model, this::machine, faults) : packets;
        boolean done = false;
        try {
            this.functions =
                    new PciTree(model, barMemory == null ? new SparseMemory(arena) : barMemory)
                            .functions();
            for (EmulatedFunction function : functions) {
                DriveModel drive = function.drive();
                if (drive != null) {
                    String locator = drive.locator();
                    drives.put(locator, function);
                    FaultPlan plan = new FaultPlan(model.faults(), drive.name());
                    controllers.put(
                            locator,
                            new NvmeController(
                                    function, interconnect, map, plan, arena, random.split()));
                }
            }
            done = true;
        } catch (OutOfMemoryError e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "no-cmb-memory",
                    "there is no memory for the CMBs of the emulated fabric",
                    "Make them smaller, or raise -XX:MaxDirectMemorySize",
                    e);
        } finally {
            if (!done) {
                controllers.values().forEach(NvmeController::undo);
                arena.close();
            }
        }
        boolean virtual = model.time() == FabricModel.Time.VIRTUAL;
        List<NvmeController> all = new ArrayList<>(controllers.values());
        this.clock = new EmulatedClock(owner, virtual, random.split(), all, packets);
        if (packets != null) {
            packets.attach(functions, clock);
        }
        functions.forEach(f -> f.onConfigWrite(owner, offset -> configWritten(f, offset)));
        if (!model.iommu()) {
            mapAllBars();
        }
    }

    private void checkOwner() {
        owner.check();
    }

    /**
     * Gives up ownership: the next thread that uses the fabric becomes its owner. The present owner
     * must have finished with the fabric, and with everything opened from it, before the other
     * thread begins.
     */
    public void handOver() {
        owner.handOver();
    }

    /**
     * Returns a test's view of a drive's controller.
     *
     * @param name the name of the drive, with or without {@code emu:}
     * @throws PeerlaneException if there is no drive of that name
     */
    public EmulatedController controller(String name) {
        String locator =
                name.startsWith(DriveModel.LOCATOR_PREFIX)
                        ? name
                        : DriveModel.LOCATOR_PREFIX + name;
        NvmeController machine = controllers.get(locator);
        if (machine == null) {
            throw unknown(locator);
        }
        return new EmulatedController(owner, machine);
    }

    /**
     * Makes the caller's memory accessible to the drives at a bus address, like host memory.
     *
     * @param memory must stay valid until {@link #detachMemory}
     * @return false if a part of the address range is in use
     */
    public boolean attachMemory(long busAddress, MemorySegment memory) {
        checkOwner();
        return map.add(new AddressMap.Range(busAddress, memory.byteSize(), memory, 0, null, null));
    }

    /** Removes the memory that {@link #attachMemory} attached at exactly this bus address. */
    public void detachMemory(long busAddress) {
        checkOwner();
        map.remove(busAddress);
    }

    /** Returns the description from which the fabric was made. */
    public FabricModel model() {
        return model;
    }

    /** Returns the faults of the description that have happened. */
    public List<Fault> happened() {
        checkOwner();
        return Stream.concat(
                        Stream.of(hostPlan),
                        controllers.values().stream().map(NvmeController::faults))
                .flatMap(plan -> plan.happened().stream())
                .toList();
    }

    /** Adds a fault. Its occasions are counted from now on. */
    public void arm(Fault fault) {
        checkOwner();
        FaultPlan plan = hostPlan;
        if (fault.drive() != null) {
            plan = controller(fault.drive()).machine().faults();
        }
        plan.arm(fault);
    }

    /**
     * Removes all faults and repairs what they have left behind. Bad blocks are good again, CMBs
     * support what they did before, and a drive that was pulled out is back in the state after a
     * Function Level Reset.
     */
    public void repair() {
        checkOwner();
        hostPlan.disarm();
        controllers.values().forEach(NvmeController::repair);
    }

    /** Sets the observer of the bus; null for none. */
    public void watch(@Nullable BusWatch watch) {
        checkOwner();
        interconnect.watch(watch);
        hostPlan.watch(watch);
        controllers.values().forEach(c -> c.faults().watch(watch));
    }

    /** Returns the number of DMA buffers that are allocated in host memory. */
    public int dmaAllocations() {
        return hostMemory.allocations();
    }

    /** Returns the number of BAR windows that are mapped for peers. */
    public int peerMappings() {
        return hostMemory.mappings();
    }

    /** Returns the number of packets sent; 0 on a fabric without packets. */
    public long packetsSent() {
        return packets == null ? 0 : packets.sent();
    }

    /** Returns how often a packet left a queue before one that had arrived earlier. */
    public long packetsPassed() {
        return packets == null ? 0 : packets.passings();
    }

    /**
     * Returns the kinds of requests that functions sent to each other; empty on a fabric without
     * packets.
     */
    public Set<PeerFlow> peerFlows() {
        checkOwner();
        return packets == null ? Set.of() : packets.flows();
    }

    /** Sets where to write a line for each packet that arrives; null for nowhere. */
    public void trace(@Nullable Consumer<String> sink) {
        checkOwner();
        if (packets != null) {
            packets.trace(sink);
        }
    }

    /**
     * Returns the configuration space of a function or bridge without opening it.
     *
     * @throws PeerlaneException if there is no such function
     */
    public ConfigSpace config(Bdf bdf) {
        for (EmulatedFunction function : functions) {
            if (function.bdf().equals(bdf)) {
                return function.config();
            }
        }
        throw PeerlaneException.request(
                "no-such-function",
                "the emulated fabric has no function " + bdf,
                "Use one of " + functions.stream().map(EmulatedFunction::bdf).toList());
    }

    @Override
    public String kind() {
        return "emulator";
    }

    @Override
    public FabricTraits traits() {
        return new FabricTraits(null, model.transfersText());
    }

    @Override
    public List<String> locators() {
        return List.copyOf(drives.keySet());
    }

    @Override
    public PciDevice open(String locator) {
        checkOwner();
        if (closed) {
            throw PeerlaneException.machine(
                    "fabric-closed", "the emulated fabric is closed", "Create a new fabric");
        }
        EmulatedFunction function = drives.get(locator);
        NvmeController controller = controllers.get(locator);
        if (function == null || controller == null) {
            throw unknown(locator);
        }
        if (open.containsKey(locator)) {
            throw PeerlaneException.machine(
                    "device-in-use",
                    locator + " is open already",
                    "Close it first: a device has one owner");
        }
        EmulatedDevice device =
                new EmulatedDevice(
                        owner,
                        function,
                        controller,
                        packets == null ? null : packets.host(),
                        closing -> open.remove(locator, closing));
        open.put(locator, device);
        return device;
    }

    @Override
    public DmaDomain dma() {
        return hostMemory;
    }

    @Override
    public Clock clock() {
        return clock;
    }

    @Override
    public Machine machine() {
        checkOwner();
        Machine tree =
                new Machine(
                        functions.stream().map(EmulatedFunction::snapshot).toList(),
                        model.rootComplex());
        PacketModel described = model.packets();
        if (described == null) {
            return tree;
        }
        Set<Set<Bdf>> split = new LinkedHashSet<>();
        for (PacketModel.SecondWay second : described.secondWays()) {
            if (second.splitsWrites()) {
                split.add(Set.of(bdf(second.one()), bdf(second.other())));
            }
        }
        return split.isEmpty() ? tree : tree.withSplitWrites(split);
    }

    /** Returns the PCI address of a drive. */
    public Bdf bdf(String drive) {
        return Objects.requireNonNull(drives.get(DriveModel.LOCATOR_PREFIX + drive)).bdf();
    }

    @Override
    public List<DmaFault> faults() {
        checkOwner();
        return faults.first();
    }

    @Override
    public Optional<TrafficCounters> traffic() {
        return Optional.of(new Counters());
    }

    @Override
    public void close() {
        checkOwner();
        if (closed) {
            return;
        }
        closed = true;
        List.copyOf(open.values()).forEach(EmulatedDevice::close);
        if (packets != null) {
            packets.close();
        }
        controllers.values().forEach(NvmeController::close);
        hostMemory.close();
        arena.close();
    }

    /** Returns the map of bus addresses as devices see it. */
    AddressMap addresses() {
        return map;
    }

    /** Returns the interconnect that carries packets; null on a fabric without packets. */
    @Nullable PacketInterconnect packets() {
        return packets;
    }

    /** Returns all functions of the tree. */
    List<EmulatedFunction> functions() {
        return functions;
    }

    private PeerlaneException unknown(String locator) {
        return PeerlaneException.machine(
                "no-such-device",
                "the emulated fabric has no device " + locator,
                "Use one of " + String.join(", ", drives.keySet()));
    }

    private void mapAllBars() {
        for (EmulatedFunction function : functions) {
            for (EmulatedFunction.BarSpace bar : function.bars()) {
                if (bar.memory() != null) {
                    map.add(
                            new AddressMap.Range(
                                    function.barAddress(bar),
                                    bar.sizeBytes(),
                                    bar.memory(),
                                    0,
                                    function,
                                    bar));
                }
            }
        }
    }

    /**
     * Applies a write to configuration space. Command, BARs, ACS and the reset bit take effect at
     * once.
     */
    private void configWritten(EmulatedFunction function, int offset) {
        functions.forEach(EmulatedFunction::refresh);
        interconnect.forgetRoutes();
        controllers.values().forEach(NvmeController::configWritten);
        if (!function.asksForReset(offset)) {
            return;
        }
        NvmeController controller = controllers.get(String.valueOf(function.locator()));
        if (controller != null) {
            function.resetConfig(model.relaxedOrdering());
            controller.functionReset();
        }
    }

    /** Counts as of now. */
    private final class Counters implements TrafficCounters {
        @Override
        public Traffic of(Bdf function) {
            for (EmulatedFunction candidate : functions) {
                if (candidate.bdf().equals(function)) {
                    return candidate.traffic().snapshot();
                }
            }
            return new DmaCounts().snapshot();
        }

        @Override
        public Traffic total() {
            DmaCounts sum = new DmaCounts();
            functions.forEach(function -> sum.add(function.traffic()));
            return sum.snapshot();
        }
    }
}
