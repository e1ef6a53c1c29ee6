package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.vfio.VfioAbi.DeviceInfo;
import dev.peerlane.vfio.VfioAbi.RegionInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An open function that is bound to vfio-pci. Only the thread that opened its fabric may use it.
 */
public final class VfioDevice extends PciDevice {
    private static final int BARS = 6;
    private static final int BAR_IO = 1;
    private static final int BAR_64_BIT = 4;

    /** What a device calls in its fabric. */
    interface Host {
        /** Throws unless the owner's thread calls. */
        void checkThread();

        Clock clock();

        DmaDomain dma();

        /** Throws unless a BAR's address in sysfs is its address on the bus. */
        void checkBarAddress(Bdf bdf, int index, long address);

        /** Called before a reset, which may revoke mappings of the device's BARs. */
        void beforeReset(VfioDevice device);

        /** Called after a reset, when the device decodes memory again. */
        void afterReset(VfioDevice device);

        /** Removes the mappings of a device's BARs that are left. */
        void dropPeersOf(VfioDevice device);

        /** Called when a device has been closed. */
        void released(VfioDevice device);

        /** Closes the descriptor of a device. */
        void closeDevice(Bdf bdf, int fd);
    }

    private final Host host;
    private final Kernel kernel;
    private final Bdf bdf;
    private final DeviceFile file;
    private final TreeMap<Integer, VfioBar> bars = new TreeMap<>();
    private final List<Interrupts> interrupts = new ArrayList<>();
    private @Nullable VfioConfig config;
    private boolean resettable;
    private boolean closed;

    /** Creates a device, which takes ownership of the descriptor. */
    VfioDevice(Host host, Kernel kernel, Bdf bdf, int fd) {
        this.host = host;
        this.kernel = kernel;
        this.bdf = bdf;
        this.file = new DeviceFile(kernel, bdf.toString(), fd);
    }

    /**
     * Reads the device's description from the kernel, stops its DMA, and resets it if that is
     * wanted and possible.
     */
    void start(boolean reset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(DeviceInfo.BYTES, 8);
            info.set(JAVA_INT, VfioAbi.ARGSZ, DeviceInfo.BYTES);
            KernelException.check(
                    kernel.ioctl(fd(), VfioAbi.DEVICE_GET_INFO, info),
                    "no-device-info",
                    VfioAbi.DEVICE_GET_INFO.name(),
                    locator(),
                    "See whether the device is still there");
            int flags = info.get(JAVA_INT, VfioAbi.FLAGS);
            if ((flags & DeviceInfo.PCI) == 0
                    || info.get(JAVA_INT, DeviceInfo.NUM_REGIONS) <= RegionInfo.CONFIG) {
                throw PeerlaneException.machine(
                        "not-a-pci-device",
                        locator() + " is not a PCI function according to VFIO",
                        "Bind it to vfio-pci");
            }
            resettable = (flags & DeviceInfo.RESET) != 0;
        }
        Region space = Region.read(kernel, fd(), locator(), RegionInfo.CONFIG);
        config = new VfioConfig(file, space);
        if (config.isGone()) {
            throw gone("on arrival");
        }
        dma(false);
        if (reset && resettable) {
            reset();
        }
    }

    int fd() {
        return file.fd();
    }

    @Override
    public Bdf bdf() {
        return bdf;
    }

    @Override
    public String locator() {
        return bdf.toString();
    }

    @Override
    public ConfigSpace config() {
        if (config == null) {
            throw new IllegalStateException(locator() + " was not started");
        }
        return config;
    }

    @Override
    public Bar bar(int index) {
        checkOpen();
        VfioBar known = bars.get(index);
        if (known == null) {
            known = openBar(index);
            bars.put(index, known);
        }
        return known;
    }

    private VfioBar openBar(int index) {
        int low = index < 0 || index >= BARS ? BAR_IO : config().load32(bar32(index));
        boolean memory = (low & BAR_IO) == 0;
        Region region = memory ? Region.read(kernel, fd(), locator(), index) : null;
        if (region == null || region.sizeBytes() == 0) {
            throw PeerlaneException.machine(
                    "no-such-bar",
                    "%s has no memory BAR %d".formatted(locator(), index),
                    "Look at lspci -v -s " + bdf);
        }
        long address = Integer.toUnsignedLong(low) & ~0xfL;
        if ((low & BAR_64_BIT) != 0) {
            address |= (long) config().load32(bar32(index + 1)) << 32;
        }
        host.checkBarAddress(bdf, index, address);
        return map(withoutMsixTable(region), address);
    }

    /**
     * Excludes the pages of the MSI-X table from mapping where the kernel does not list them as
     * mappable: Linux before 4.16 refuses a mapping that contains them.
     */
    private Region withoutMsixTable(Region region) {
        OptionalInt msix = config().capability(ConfigSpace.CAP_MSIX);
        if (msix.isEmpty() || region.msixMappable() || region.areas().isEmpty()) {
            return region;
        }
        int table = config().load32(msix.getAsInt() + 4);
        if ((table & 7) != region.index()) {
            return region;
        }
        int entries = (config().load16(msix.getAsInt() + 2) & 0x7ff) + 1;
        return region.withoutPages(Integer.toUnsignedLong(table & ~7), 16L * entries);
    }

    private VfioBar map(Region region, long pciAddress) {
        if (region.isWhole()) {
            long base = mapArea(region, region.areas().getFirst());
            return new MappedBar(locator(), region, pciAddress, kernel, base);
        }
        MixedBar bar = new MixedBar(locator(), region, pciAddress, kernel, file);
        try {
            for (Span area : region.areas()) {
                bar.add(area, mapArea(region, area));
            }
            return bar;
        } catch (RuntimeException e) {
            new MemoryCleanup().step(bar::unmap).finish(e);
            throw e;
        }
    }

    private long mapArea(Region region, Span area) {
        long bytes = area.last() - area.start() + 1;
        return KernelException.check(
                kernel.mmap(
                        bytes,
                        Kernel.PROT_READ | Kernel.PROT_WRITE,
                        Kernel.MAP_SHARED,
                        fd(),
                        region.offset() + area.start()),
                "bar-not-mapped",
                "mmap",
                "BAR%d of %s, %d bytes".formatted(region.index(), locator(), bytes),
                "Look at the kernel's log, and see that the device decodes memory");
    }

    /**
     * Enables MSI-X vectors 0 and up, each with an event counter.
     *
     * @param vectors number of vectors
     * @throws PeerlaneException if the device has fewer vectors
     */
    public Interrupts interrupts(int vectors) {
        checkOpen();
        Interrupts enabled = Interrupts.enable(kernel, host.clock(), locator(), fd(), vectors);
        interrupts.add(enabled);
        return enabled;
    }

    /**
     * Returns whether a BAR is memory that this function decodes, in a fabric with that DMA domain.
     */
    boolean decodes(DmaDomain domain, VfioBar bar) {
        int command = closed ? 0 : config().load16(ConfigSpace.COMMAND);
        return !closed
                && host.dma() == domain
                && bars.containsValue(bar)
                && !config().isGone()
                && (command & ConfigSpace.COMMAND_MEMORY) != 0;
    }

    @Override
    public void busMaster(boolean enabled) {
        checkOpen();
        dma(enabled);
    }

    /**
     * Enables or disables DMA, and enables memory decoding in either case. If decoding was turned
     * off without our knowledge, writing the bit back as 0 would make the kernel revoke our
     * mappings; writing 1 makes it restore the BARs first.
     */
    private void dma(boolean on) {
        int command = config().load16(ConfigSpace.COMMAND);
        int wanted = ConfigSpace.withBusMaster(command, on) | ConfigSpace.COMMAND_MEMORY;
        if (wanted != command && !config().isGone()) {
            config().store16(ConfigSpace.COMMAND, wanted);
        }
    }

    @Override
    public void reset() {
        checkOpen();
        if (!resettable) {
            throw PeerlaneException.machine(
                    "no-function-reset",
                    locator() + " has no reset that the kernel supports",
                    "Use a device with Function Level Reset");
        }
        if (config().isGone()) {
            throw gone("any more"); // the kernel would wait a minute for it to come back
        }
        SavedConfig saved = SavedConfig.of(config());
        dma(false);
        host.beforeReset(this);
        KernelException.check(
                kernel.ioctl(fd(), VfioAbi.DEVICE_RESET, 0),
                "function-reset-failed",
                VfioAbi.DEVICE_RESET.name(),
                locator(),
                "Close the device; if that does not help, power it off");
        if (!saved.restore(config(), host.clock())) {
            throw gone("after its reset");
        }
        host.afterReset(this);
    }

    private PeerlaneException gone(String when) {
        return PeerlaneException.io(
                "device-gone",
                "%s does not answer %s".formatted(locator(), when),
                "See whether it was unplugged; the kernel's log tells");
    }

    private static int bar32(int index) {
        return ConfigSpace.BAR0 + 4 * index;
    }

    private void checkOpen() {
        host.checkThread();
        if (closed) {
            throw new IllegalStateException(locator() + " is closed");
        }
    }

    @Override
    public void close() {
        host.checkThread();
        if (closed) {
            return;
        }
        Cleanup cleanup = new MemoryCleanup();
        if (config != null) {
            cleanup.step(() -> dma(false));
        }
        closed = true;
        host.released(this);
        interrupts.forEach(i -> cleanup.step(i::close));
        cleanup.step(() -> host.dropPeersOf(this));
        bars.values().forEach(bar -> cleanup.step(bar::unmap));
        file.shut();
        cleanup.step(() -> host.closeDevice(bdf, fd())).finish();
    }
}
