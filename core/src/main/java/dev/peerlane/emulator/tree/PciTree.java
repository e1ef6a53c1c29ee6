package dev.peerlane.emulator.tree;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.emulator.tree.EmulatedFunction.BarSpace;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.spec.wire.Reg;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Lays out a fabric as firmware would: numbers the buses depth first, assigns an address to every
 * BAR, sets the windows of the bridges, and writes all of this into configuration spaces.
 *
 * <p>Registers are below 4 GiB, as windows for non-prefetchable memory require; CMBs are in the
 * 64-bit prefetchable windows. Both are far from the addresses of host memory.
 */
public final class PciTree {
    /** The end of the bus addresses that host memory may use. */
    public static final long HOST_LIMIT = 0x40_0000_0000L;

    private static final long WINDOW_BYTES = 1L << 20;
    private static final long LOW_START = 0xc000_0000L;
    private static final long LOW_END = 0xfec0_0000L;
    private static final long HIGH_START = HOST_LIMIT;
    private static final long HIGH_END = 1L << 46;
    private static final long PAGE_BYTES = Bits.PAGE_BYTES;
    private static final long MIN_BAR0_BYTES = 0x4000;
    private static final int MAX_BUSES = 256;

    private static final int BRIDGE_COMMAND =
            ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_BUS_MASTER;

    private final Map<String, DriveModel> drives = new LinkedHashMap<>();
    private final List<EmulatedFunction> functions = new ArrayList<>();
    private final SegmentAllocator barMemory;
    private final boolean relaxedOrdering;
    private final Set<String> ats;
    private int lastBus;
    private long low = LOW_START;
    private long high = HIGH_START;

    /**
     * Lays out the tree of a fabric.
     *
     * @param barMemory allocates the memory of CMBs
     */
    public PciTree(FabricModel model, SegmentAllocator barMemory) {
        this.barMemory = barMemory;
        this.relaxedOrdering = model.relaxedOrdering();
        PacketModel packets = model.packets();
        this.ats = packets == null ? Set.of() : packets.ats();
        model.drives().forEach(drive -> drives.put(drive.name(), drive));
        if (model.ports().size() > 31) {
            throw tooLarge("root ports");
        }
        for (int i = 0; i < model.ports().size(); i++) {
            Bdf bdf = new Bdf(0, 0, i + 1, 0);
            port(bdf, null, PciFunction.Kind.ROOT_PORT, i + 1, model.ports().get(i));
        }
        if (low > LOW_END || high > HIGH_END) {
            throw tooLarge("BARs");
        }
        functions.forEach(EmulatedFunction::refresh);
    }

    /** Returns all functions. A bridge comes before the functions below it. */
    public List<EmulatedFunction> functions() {
        return functions;
    }

    private void port(
            Bdf bdf,
            @Nullable EmulatedFunction parent,
            PciFunction.Kind kind,
            int number,
            PortModel model) {
        EmulatedFunction bridge = new EmulatedFunction(bdf, parent, null);
        functions.add(bridge);
        ConfigLayout.bridge(bridge.layout(), kind, number, model);
        int bus = nextBus();
        long lowBase = align(low, WINDOW_BYTES);
        long highBase = align(high, WINDOW_BYTES);
        low = lowBase;
        high = highBase;
        if (model.drive() != null) {
            endpoint(new Bdf(0, bus, 0, 0), bridge, model.drive());
        } else if (!model.ports().isEmpty()) {
            upstream(new Bdf(0, bus, 0, 0), bridge, model.ports());
        }
        close(bridge, bus, lowBase, highBase);
    }

    private void upstream(Bdf bdf, EmulatedFunction parent, List<PortModel> ports) {
        if (ports.size() > 32) {
            throw tooLarge("ports of a switch");
        }
        EmulatedFunction bridge = new EmulatedFunction(bdf, parent, null);
        functions.add(bridge);
        ConfigLayout.bridge(bridge.layout(), PciFunction.Kind.SWITCH_UPSTREAM, 0, null);
        int bus = nextBus();
        long lowBase = low;
        long highBase = high;
        for (int i = 0; i < ports.size(); i++) {
            Bdf below = new Bdf(0, bus, i, 0);
            port(below, bridge, PciFunction.Kind.SWITCH_DOWNSTREAM, i + 1, ports.get(i));
        }
        close(bridge, bus, lowBase, highBase);
    }

    private void close(EmulatedFunction bridge, int bus, long lowBase, long highBase) {
        low = align(low, WINDOW_BYTES);
        high = align(high, WINDOW_BYTES);
        EmulatedConfig config = bridge.layout();
        ConfigLayout.buses(config, bridge.bdf().bus(), bus, lastBus);
        ConfigLayout.windows(config, lowBase, low, highBase, high);
        config.init16(ConfigSpace.COMMAND, BRIDGE_COMMAND);
    }

    private void endpoint(Bdf bdf, EmulatedFunction parent, String name) {
        DriveModel drive = drives.get(name);
        if (drive == null) {
            throw new IllegalStateException("FabricModel checked that there is a drive " + name);
        }
        EmulatedFunction function = new EmulatedFunction(bdf, parent, drive);
        functions.add(function);
        ConfigLayout.endpoint(function.layout(), relaxedOrdering);
        if (ats.contains(name)) {
            ConfigLayout.ats(function.layout());
        }
        registersAndCmb(function, drive);
        int msix = MsixLayout.bar(drive);
        ConfigLayout.msix(
                function.layout(),
                MsixLayout.vectors(drive),
                msix,
                MsixLayout.pendingOffset(drive));
        long msixBytes = powerOfTwo(MsixLayout.barBytes(drive));
        place(function, msix, msixBytes, msixBytes, null);
    }

    private void registersAndCmb(EmulatedFunction function, DriveModel drive) {
        CmbModel cmb = drive.cmb();
        long registers = registerBytes(drive);
        if (cmb != null && cmb.bar() == 0) {
            if (cmb.offsetBytes() < registers) {
                throw PeerlaneException.request(
                        "bad-fabric",
                        "drive '" + drive.name() + "' has its CMB on top of its registers in BAR 0",
                        "Give the CMB an offset of at least " + registers + " bytes");
            }
            place(function, 0, cmbBar(cmb), registers, cmb);
            return;
        }
        place(function, 0, Math.max(MIN_BAR0_BYTES, powerOfTwo(registers)), registers, null);
        if (cmb != null) {
            place(function, cmb.bar(), cmbBar(cmb), 0, cmb);
        }
    }

    /** Returns the length of a drive's registers and doorbells. */
    static long registerBytes(DriveModel drive) {
        return Reg.sqTailDoorbell(drive.ioQueues() + 1, drive.doorbellStride());
    }

    private static long cmbBar(CmbModel cmb) {
        long needed = powerOfTwo(cmb.offsetBytes() + cmb.sizeBytes());
        return cmb.barBytes() != 0 ? cmb.barBytes() : Math.max(PAGE_BYTES, needed);
    }

    private void place(
            EmulatedFunction function,
            int index,
            long sizeBytes,
            long registerBytes,
            @Nullable CmbModel cmb) {
        MemorySegment memory = null;
        if (cmb != null) {
            long bytes = Math.max(sizeBytes, cmb.offsetBytes() + cmb.sizeBytes());
            memory = barMemory.allocate(bytes, PAGE_BYTES);
        }
        function.bars().add(new BarSpace(index, sizeBytes, registerBytes, memory));
        boolean prefetchable = cmb != null;
        long address;
        if (prefetchable) {
            address = align(high, sizeBytes);
            high = address + sizeBytes;
        } else {
            address = align(low, sizeBytes);
            low = address + sizeBytes;
        }
        ConfigLayout.bar(function.layout(), index, address, sizeBytes, prefetchable);
    }

    private int nextBus() {
        if (++lastBus >= MAX_BUSES) {
            throw tooLarge("buses");
        }
        return lastBus;
    }

    private static long align(long value, long to) {
        return (value + to - 1) & -to;
    }

    private static long powerOfTwo(long value) {
        return value <= 1 ? 1 : Long.highestOneBit(value - 1) << 1;
    }

    private static PeerlaneException tooLarge(String what) {
        return PeerlaneException.request(
                "bad-fabric", "the fabric has too many " + what, "Use fewer or smaller ones");
    }
}
