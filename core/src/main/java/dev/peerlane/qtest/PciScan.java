package dev.peerlane.qtest;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction.Kind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds every function of a q35 machine, like firmware. Opens the memory-mapped configuration
 * window, walks the buses depth first and numbers them. Stops all DMA on the way. What an earlier
 * client assigned does not matter.
 */
final class PciScan {
    /** Offset of the bridge's primary, secondary and subordinate bus numbers. */
    private static final int BUS_NUMBERS = 0x18;

    /** Offset of the bridge's prefetchable window, low 16 bits of base and limit. */
    static final int PREFETCHABLE_WINDOW = 0x24;

    private static final int CONFIG_ADDRESS = 0xcf8;
    private static final int CONFIG_DATA = 0xcfc;
    private static final int CONFIG_ENABLE = 1 << 31;
    private static final int PCIEXBAR = 0x60;
    private static final int Q35_HOST_BRIDGE = 0x29c0_8086;
    private static final int PXB = 0x0009_1b36;
    private static final int PXB_PCIE = 0x000b_1b36;
    private static final int NOTHING = 0xffff;
    private static final int DEVICES = 32;
    private static final int FUNCTIONS = 8;
    private static final int LAST_BUS = 255;
    private static final int MULTIFUNCTION = 0x80;
    private static final int BRIDGE_BARS = 2;
    private static final int DEVICE_BARS = 6;

    /** Upper limit: a bus is scanned three times, and a machine has some dozens of functions. */
    private static final int MOST_FOUND = 8192;

    private final QtestSocket socket;
    private final List<PciNode> roots = new ArrayList<>();
    private final boolean[] rootBus = new boolean[LAST_BUS + 1];
    private int nextBus;
    private int found;

    private PciScan(QtestSocket socket) {
        this.socket = socket;
    }

    /**
     * Scans all buses.
     *
     * @return the functions of the root buses, with the functions below them
     * @throws PeerlaneException if the machine isn't a q35, or has too many buses
     */
    static List<PciNode> run(QtestSocket socket) {
        PciScan scan = new PciScan(socket);
        scan.openWindow();
        scan.silence(0);
        scan.findFurtherRoots();
        for (int bus = 0; bus <= LAST_BUS; bus++) {
            if (scan.rootBus[bus]) {
                scan.nextBus = bus + 1;
                scan.roots.addAll(scan.scanBus(bus, null));
            }
        }
        return scan.roots;
    }

    private void openWindow() {
        socket.outl(CONFIG_ADDRESS, CONFIG_ENABLE);
        int host = socket.inl(CONFIG_DATA);
        if (host != Q35_HOST_BRIDGE) {
            throw PeerlaneException.machine(
                    "qtest-not-q35",
                    "host bridge 00:00.0 is %08x, not q35's %08x".formatted(host, Q35_HOST_BRIDGE),
                    "Start QEMU with -M q35");
        }
        socket.outl(CONFIG_ADDRESS, CONFIG_ENABLE | (PCIEXBAR + 4));
        socket.outl(CONFIG_DATA, 0);
        socket.outl(CONFIG_ADDRESS, CONFIG_ENABLE | PCIEXBAR);
        socket.outl(CONFIG_DATA, (int) EcamConfig.ECAM_BASE | 1);
    }

    /** Clears the bus numbers of all bridges on a bus, so that nothing below them answers. */
    private void silence(int bus) {
        rootBus[bus] = true;
        for (Bdf bdf : present(bus, DEVICES)) {
            EcamConfig config = new EcamConfig(socket, bdf);
            if (isBridge(config)) {
                config.store32(BUS_NUMBERS, 0);
            }
        }
    }

    /** Finds the root buses of expander bridges, which have bus numbers of their own. */
    private void findFurtherRoots() {
        boolean expanders =
                present(0, DEVICES).stream()
                        .mapToInt(bdf -> new EcamConfig(socket, bdf).load32(ConfigSpace.VENDOR_ID))
                        .anyMatch(id -> id == PXB || id == PXB_PCIE);
        for (int bus = 1; expanders && bus <= LAST_BUS; bus++) {
            if (!present(bus, DEVICES).isEmpty()) {
                silence(bus);
            }
        }
    }

    private List<Bdf> present(int bus, int devices) {
        List<Bdf> found = new ArrayList<>();
        for (int device = 0; device < devices; device++) {
            Bdf first = new Bdf(0, bus, device, 0);
            if (!answers(first)) {
                continue;
            }
            found.add(first);
            int header = new EcamConfig(socket, first).load8(ConfigSpace.HEADER_TYPE);
            int functions = (header & MULTIFUNCTION) == 0 ? 1 : FUNCTIONS;
            for (int function = 1; function < functions; function++) {
                Bdf bdf = new Bdf(0, bus, device, function);
                if (answers(bdf)) {
                    found.add(bdf);
                }
            }
        }
        return found;
    }

    private boolean answers(Bdf bdf) {
        boolean there = new EcamConfig(socket, bdf).load16(ConfigSpace.VENDOR_ID) != NOTHING;
        if (there && ++found > MOST_FOUND) {
            throw PeerlaneException.machine(
                    "qtest-too-many-functions",
                    "more functions answer than a machine can have, the last one " + bdf,
                    "Start QEMU with fewer devices");
        }
        return there;
    }

    private List<PciNode> scanBus(int bus, @Nullable PciNode above) {
        // Only one device can be below a root port or a downstream port of a switch.
        boolean port =
                above != null
                        && (above.kind() == Kind.ROOT_PORT
                                || above.kind() == Kind.SWITCH_DOWNSTREAM);
        List<PciNode> nodes = new ArrayList<>();
        for (Bdf bdf : present(bus, port ? 1 : DEVICES)) {
            nodes.add(node(bdf, above));
        }
        for (PciNode node : nodes) {
            if (node.isBridge()) {
                scanBelow(node);
            }
        }
        return nodes;
    }

    private void scanBelow(PciNode bridge) {
        if (nextBus > LAST_BUS || rootBus[nextBus]) {
            throw PeerlaneException.machine(
                    "qtest-too-many-buses",
                    "no bus number is left for bridge " + bridge.bdf(),
                    "Start QEMU with fewer bridges, or expanders with higher bus_nr");
        }
        int primary = bridge.bdf().bus();
        int secondary = nextBus++;
        number(bridge, primary, secondary, lastBefore(secondary));
        bridge.children().addAll(scanBus(secondary, bridge));
        number(bridge, primary, secondary, nextBus - 1);
    }

    /** Returns the highest bus number before the next root bus. */
    private int lastBefore(int bus) {
        int last = bus;
        while (last < LAST_BUS && !rootBus[last + 1]) {
            last++;
        }
        return last;
    }

    private static void number(PciNode bridge, int primary, int secondary, int subordinate) {
        int numbers = primary | (secondary << 8) | (subordinate << 16);
        bridge.config().store32(BUS_NUMBERS, numbers);
    }

    private PciNode node(Bdf bdf, @Nullable PciNode above) {
        EcamConfig config = new EcamConfig(socket, bdf);
        boolean bridge = isBridge(config);
        config.store16(ConfigSpace.COMMAND, 0);
        boolean wide = false;
        if (bridge) {
            config.store32(BUS_NUMBERS, 0);
            config.store32(PREFETCHABLE_WINDOW, 0x0000_fff0);
            int window = config.load32(PREFETCHABLE_WINDOW);
            wide = (window & 0xfff0) != 0 && (window & 0xf) == 1;
        }
        return new PciNode(bdf, above, config, bridge, wide, needs(config, bridge));
    }

    private static boolean isBridge(EcamConfig config) {
        return (config.load8(ConfigSpace.HEADER_TYPE) & ~MULTIFUNCTION) == 1;
    }

    /** Sizes the memory BARs by writing ones (PCI 3.0, 6.2.5.1). Memory decoding must be off. */
    private static List<PciNode.BarNeed> needs(EcamConfig config, boolean bridge) {
        List<PciNode.BarNeed> needs = new ArrayList<>();
        int count = bridge ? BRIDGE_BARS : DEVICE_BARS;
        for (int i = 0; i < count; i++) {
            int at = ConfigSpace.BAR0 + 4 * i;
            config.store32(at, -1);
            int low = config.load32(at);
            boolean wide = (low & 0x7) == 0x4 && i + 1 < count;
            int high = -1;
            if (wide) {
                config.store32(at + 4, -1);
                high = config.load32(at + 4);
            }
            long mask = ((long) high << 32) | Integer.toUnsignedLong(low & ~0xf);
            boolean none = mask == 0 || (!wide && (low & ~0xf) == 0);
            if (none || (low & 1) != 0) {
                config.store32(at, 0);
                continue;
            }
            long size = -mask;
            if (size <= 0 || Long.bitCount(size) != 1) {
                throw PeerlaneException.machine(
                        "qtest-bad-bar",
                        "BAR%d of %s reads 0x%x after ones were written, which is not a valid size"
                                .formatted(i, config.bdf(), mask),
                        "Start QEMU without this device");
            }
            needs.add(new PciNode.BarNeed(i, size, wide, (low & 0x8) != 0));
            i += wide ? 1 : 0;
        }
        return needs;
    }
}
