package dev.peerlane.vfio;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A function whose BARs are plain memory. */
class PlainDevice extends FakeDevice {
    static final int EXPRESS = 0x40;
    static final int MSIX = 0x80;
    static final int CACHE_LINE = 0x0c;
    static final int INTERRUPT_LINE = 0x3c;

    final MemorySegment config;
    final Map<Integer, MemorySegment> bars = new HashMap<>();
    final Map<Integer, List<Span>> sparse = new HashMap<>();
    boolean msixMappable = true;
    boolean loseConfigInReset;

    private final Arena arena;

    PlainDevice(Bdf bdf, int group, Arena arena) {
        super(bdf, group);
        this.arena = arena;
        config = arena.allocate(4096, 8);
        set32(ConfigSpace.VENDOR_ID, 0x0001_5045);
        set32(ConfigSpace.COMMAND, 0x0010_0000);
        set32(ConfigSpace.CLASS_REVISION, PciFunction.CLASS_NVME << 8);
        set32(ConfigSpace.CAPABILITIES, EXPRESS);
        set32(EXPRESS, 0x0002_0000 | (MSIX << 8) | ConfigSpace.CAP_PCI_EXPRESS);
        set32(EXPRESS + 8, 0x2810);
        set32(MSIX, (7 << 16) | ConfigSpace.CAP_MSIX);
        set32(MSIX + 4, 0x2000);
    }

    /** Adds a 64-bit memory BAR. */
    PlainDevice bar(int index, long address, long bytes) {
        bars.put(index, arena.allocate(bytes, 4096));
        set32(ConfigSpace.BAR0 + 4 * index, (int) address | 4);
        set32(ConfigSpace.BAR0 + 4 * index + 4, (int) (address >>> 32));
        return this;
    }

    int get32(int offset) {
        return config.get(ValueLayout.JAVA_INT, offset);
    }

    void set32(int offset, int value) {
        config.set(ValueLayout.JAVA_INT, offset, value);
    }

    /** Returns the function as a snapshot describes it. */
    PciFunction function(Bdf parent) {
        List<PciFunction.BarWindow> windows =
                bars.entrySet().stream()
                        .map(e ->
                                new PciFunction.BarWindow(
                                        e.getKey(), address(e.getKey()), e.getValue().byteSize()))
                        .toList();
        return new PciFunction(
                bdf,
                parent,
                PciFunction.Kind.ENDPOINT,
                0x5045,
                1,
                PciFunction.CLASS_NVME,
                null,
                true,
                windows,
                null);
    }

    private long address(int bar) {
        long low = Integer.toUnsignedLong(get32(ConfigSpace.BAR0 + 4 * bar)) & ~0xfL;
        return low | ((long) get32(ConfigSpace.BAR0 + 4 * bar + 4) << 32);
    }

    @Override
    long size(int region) {
        return region == VfioAbi.RegionInfo.CONFIG
                ? config.byteSize()
                : bars.containsKey(region) ? bars.get(region).byteSize() : 0;
    }

    @Override
    MemorySegment memory(int region) {
        return bars.get(region);
    }

    @Override
    List<Span> sparse(int region) {
        return sparse.get(region);
    }

    @Override
    boolean msixMappable(int region) {
        return msixMappable;
    }

    private MemorySegment bytes(int region) {
        return region == VfioAbi.RegionInfo.CONFIG ? config : bars.get(region);
    }

    @Override
    long load(int region, long offset, int bytes) {
        return bytes == 8
                ? bytes(region).get(ValueLayout.JAVA_LONG_UNALIGNED, offset)
                : bytes(region).get(ValueLayout.JAVA_INT_UNALIGNED, offset);
    }

    @Override
    void store(int region, long offset, int bytes, long value) {
        MemorySegment memory = bytes(region);
        switch (bytes) {
            case 2 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, (short) value);
            case 4 -> memory.set(ValueLayout.JAVA_INT_UNALIGNED, offset, (int) value);
            default -> memory.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, value);
        }
    }

    @Override
    boolean decodes() {
        return !gone && (get32(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_MEMORY) != 0;
    }

    @Override
    boolean masters() {
        return !gone && (get32(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER) != 0;
    }

    @Override
    void reset() {
        resets++;
        if (loseConfigInReset) {
            set32(ConfigSpace.COMMAND, 0x0010_0000);
            set32(CACHE_LINE, 0);
            set32(INTERRUPT_LINE, 0);
            set32(EXPRESS + 8, 0x2810);
            set32(EXPRESS + 0x28, 0);
            for (int i = 0; i < 6; i++) {
                set32(ConfigSpace.BAR0 + 4 * i, 0);
            }
        }
    }
}
