package dev.peerlane.qtest;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.RootComplex;
import dev.peerlane.pci.RootComplex.Trust;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The PCI functions of a QEMU whose guest never runs: {@code qemu-system-x86_64 -M
 * q35,memory-backend=ram0 -S -qtest unix:SOCKET,server=on,wait=off -object
 * memory-backend-file,id=ram0,mem-path=RAM,share=on …}. Locators are {@code qemu:03:00.0}.
 *
 * <p>Attaching numbers the buses and places the BARs again, whatever an earlier client did, and
 * stops all DMA. If the machine has an {@code intel-iommu}, its translation is turned on. QEMU
 * serves one client at a time. After {@link #close} the next client can attach. QEMU does not count
 * DMA, so {@link #traffic} is empty. Used by the thread that attached.
 */
public final class QtestFabric extends Fabric {
    private static final ValueLayout.OfLong LE_LONG = JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final QtestSocket socket;
    private final RamFile ram;
    private final Clock clock;
    private final @Nullable IntelIommu iommu;
    private final QtestDma dma;
    private final List<PciNode> nodes;
    private final Map<String, PciNode> nvme = new LinkedHashMap<>();
    private final Map<String, QtestDevice> open = new LinkedHashMap<>();
    private boolean closed;

    private QtestFabric(
            QtestSocket socket,
            RamFile ram,
            Clock clock,
            @Nullable IntelIommu iommu,
            List<PciNode> nodes) {
        this.socket = socket;
        this.ram = ram;
        this.clock = clock;
        this.iommu = iommu;
        this.nodes = nodes;
        dma = new QtestDma(ram, iommu);
        nodes.stream()
                .filter(n -> n.config().classCode() == PciFunction.CLASS_NVME)
                .forEach(n -> nvme.put(locator(n.bdf()), n));
    }

    /**
     * Attaches to a running QEMU.
     *
     * @param socket path of the qtest socket
     * @param ram the file that backs the guest's RAM, shared
     * @throws PeerlaneException if nothing answers at the socket, the file is not the RAM of that
     *     machine, or the machine is not a q35
     */
    public static QtestFabric attach(Path socket, Path ram) {
        QtestSocket connection = QtestSocket.connect(socket, QtestSocket.DEFAULT_TIMEOUT_NANOS);
        return attach(connection, ram, new QtestClock(connection));
    }

    /** Attaches over a connection, and closes the connection even if it throws. */
    static QtestFabric attach(QtestSocket connection, Path ram, Clock clock) {
        RamFile memory = null;
        try {
            memory = RamFile.open(ram);
            checkSameMemory(connection, memory);
            List<PciNode> roots = PciScan.run(connection);
            IntelIommu iommu = IntelIommu.enable(connection, clock, memory).orElse(null);
            PciPlacement.run(roots, memory.fileBytes());
            List<PciNode> nodes = new ArrayList<>();
            roots.forEach(root -> collect(root, nodes));
            nodes.sort((a, b) -> a.bdf().compareTo(b.bdf()));
            return new QtestFabric(connection, memory, clock, iommu, nodes);
        } catch (RuntimeException e) {
            connection.close();
            if (memory != null) {
                memory.close();
            }
            throw e;
        }
    }

    private static void collect(PciNode node, List<PciNode> into) {
        into.add(node);
        node.children().forEach(child -> collect(child, into));
    }

    /** Lets QEMU write to both ends of the RAM and checks that the file shows it. */
    private static void checkSameMemory(QtestSocket socket, RamFile ram) {
        long first = ram.take(RamFile.PAGE_BYTES);
        long last = ram.usableBytes() - RamFile.PAGE_BYTES;
        long mark = System.nanoTime() | 1;
        for (long at : new long[] {first, last}) {
            MemorySegment page = ram.slice(at, RamFile.PAGE_BYTES);
            page.set(LE_LONG, 0, 0);
            socket.writeq(at, mark);
            if (page.get(LE_LONG, 0) != mark) {
                throw PeerlaneException.machine(
                        "qtest-ram-mismatch",
                        "the file %s is not QEMU's RAM: 0x%x written at 0x%x reads as 0x%x"
                                .formatted(ram.path(), mark, at, page.get(LE_LONG, 0)),
                        "Name the mem-path of its memory-backend-file, with share=on and the size"
                                + " of -m");
            }
            page.set(LE_LONG, 0, 0);
        }
        ram.give(first, RamFile.PAGE_BYTES);
    }

    private static String locator(Bdf bdf) {
        return "qemu:%02x:%02x.%d".formatted(bdf.bus(), bdf.device(), bdf.function());
    }

    @Override
    public String kind() {
        return "qemu";
    }

    @Override
    public List<String> locators() {
        return List.copyOf(nvme.keySet());
    }

    /**
     * Opens a function. Resets it first if it has Function Level Reset, because an earlier client
     * may have left it running.
     */
    @Override
    public PciDevice open(String locator) {
        checkOpen();
        PciNode node = nvme.get(locator);
        if (node == null) {
            throw PeerlaneException.machine(
                    "no-such-device",
                    "there is no NVMe function '%s' in this QEMU".formatted(locator),
                    nvme.isEmpty() ? "Start QEMU with -device nvme" : "Use one of " + locators());
        }
        if (open.containsKey(locator)) {
            throw PeerlaneException.machine(
                    "device-in-use", locator + " is open already", "Close it first");
        }
        QtestDevice device =
                new QtestDevice(socket, clock, dma, node, locator, () -> open.remove(locator));
        device.resetIfCapable();
        open.put(locator, device);
        return device;
    }

    @Override
    public DmaDomain dma() {
        return dma;
    }

    @Override
    public Clock clock() {
        return clock;
    }

    @Override
    public Machine machine() {
        checkOpen();
        List<PciFunction> functions = new ArrayList<>();
        for (PciNode node : nodes) {
            String locator = locator(node.bdf());
            functions.add(node.snapshot(nvme.containsKey(locator) ? locator : null));
        }
        String source = "QEMU's host bridge forwards peer traffic";
        return new Machine(functions, new RootComplex(Trust.TRUSTED, Trust.TRUSTED, source));
    }

    @Override
    public Optional<TrafficCounters> traffic() {
        return Optional.empty();
    }

    /** Returns the IOMMU, with translation on, if the machine has one. */
    public Optional<IntelIommu> iommu() {
        return Optional.ofNullable(iommu);
    }

    private void checkOpen() {
        socket.checkOwner();
        if (closed) {
            throw new IllegalStateException("this fabric is closed");
        }
    }

    @Override
    public void close() {
        socket.checkOwner();
        if (closed) {
            return;
        }
        closed = true;
        try {
            List.copyOf(open.values()).forEach(QtestDevice::close);
            if (iommu != null && socket.usable()) {
                iommu.disable();
            }
            if (socket.usable()) {
                socket.settle();
            }
        } catch (PeerlaneException e) {
            // If QEMU is gone or stuck, an earlier call has reported it. The memory that its
            // functions may still access is its own, and the next client sets everything up again.
            if (socket.usable()) {
                throw e;
            }
        } finally {
            dma.close();
            socket.close();
            ram.close();
        }
    }
}
