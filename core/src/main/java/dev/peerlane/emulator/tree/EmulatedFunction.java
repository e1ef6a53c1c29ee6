package dev.peerlane.emulator.tree;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** A bridge or a drive in the tree: its place, its configuration space, its BARs. */
public final class EmulatedFunction {
    /**
     * A 64-bit memory BAR.
     *
     * @param index of its lower half
     * @param sizeBytes its length, a power of two
     * @param registerBytes how many bytes from its start are registers
     * @param memory what backs the rest, or null; as long as the BAR or longer
     */
    public record BarSpace(
            int index, long sizeBytes, long registerBytes, @Nullable MemorySegment memory) {}

    /**
     * Bytes of a BAR that no write of another function reaches.
     *
     * @param bar which BAR
     * @param from the first of them
     * @param bytes how many
     */
    public record Hole(BarSpace bar, long from, long bytes) {}

    private static final int BAR_REGISTERS = 6;

    private final Bdf bdf;
    private final @Nullable EmulatedFunction parent;
    private final @Nullable DriveModel drive;
    private final EmulatedConfig config = new EmulatedConfig();
    private final List<BarSpace> bars = new ArrayList<>();
    private final DmaCounts traffic = new DmaCounts();
    private boolean decodes;
    private boolean masters;
    private boolean gone;
    private @Nullable Hole hole;

    EmulatedFunction(Bdf bdf, @Nullable EmulatedFunction parent, @Nullable DriveModel drive) {
        this.bdf = bdf;
        this.parent = parent;
        this.drive = drive;
    }

    /** Returns its address. */
    public Bdf bdf() {
        return bdf;
    }

    /** Returns the bridge above it, or null at the root. */
    public @Nullable EmulatedFunction parent() {
        return parent;
    }

    /** Returns its configuration space, as software sees it. */
    public ConfigSpace config() {
        return config;
    }

    /** Returns its configuration space, as its maker lays it out. */
    EmulatedConfig layout() {
        return config;
    }

    /** Calls a listener with the offset of each word of configuration that the owner writes. */
    public void onConfigWrite(FabricOwner by, IntConsumer listener) {
        config.onWrite(by, listener);
    }

    /** Returns whether MSI-X is enabled (PCIe 5.0, 7.7.2). */
    public boolean isMsixEnabled() {
        return (config.load16(ConfigLayout.MSIX + 2) & ConfigLayout.MSIX_ENABLE) != 0;
    }

    /** Returns whether Function Mask masks all vectors of MSI-X. */
    public boolean isMsixMasked() {
        return (config.load16(ConfigLayout.MSIX + 2) & ConfigLayout.MSIX_MASK) != 0;
    }

    /** Returns whether a write of the word at this offset asks for a Function Level Reset. */
    public boolean asksForReset(int offset) {
        return offset == ConfigLayout.DEVICE_CONTROL
                && (config.load16(offset) & ConfigLayout.INITIATE_FLR) != 0;
    }

    /** Asks for a Function Level Reset as a host does, which keeps what the reset takes away. */
    public void resetByHost() {
        int command = config.load16(ConfigSpace.COMMAND);
        int control = config.load16(ConfigLayout.DEVICE_CONTROL);
        int[] saved = new int[BAR_REGISTERS];
        for (int i = 0; i < BAR_REGISTERS; i++) {
            saved[i] = config.load32(ConfigSpace.BAR0 + 4 * i);
        }
        config.store16(ConfigLayout.DEVICE_CONTROL, control | ConfigLayout.INITIATE_FLR);
        for (int i = 0; i < BAR_REGISTERS; i++) {
            config.store32(ConfigSpace.BAR0 + 4 * i, saved[i]);
        }
        config.store16(ConfigLayout.DEVICE_CONTROL, control);
        config.store16(ConfigSpace.COMMAND, command);
    }

    /** Returns its BARs. */
    public List<BarSpace> bars() {
        return bars;
    }

    /** Returns its hole, or null. */
    public @Nullable Hole hole() {
        return hole;
    }

    /** Has it have a hole, or with null none. */
    public void hole(@Nullable Hole other) {
        hole = other;
    }

    /** Returns the counts of what it moved. */
    public DmaCounts traffic() {
        return traffic;
    }

    /** Returns the description of the drive, or null of a bridge. */
    public @Nullable DriveModel drive() {
        return drive;
    }

    /** Returns the locator of the drive, or null of a bridge. */
    public @Nullable String locator() {
        return drive == null ? null : drive.locator();
    }

    /** Whether accesses to its BARs arrive: memory decoding is on here and in all bridges above. */
    public boolean decodes() {
        return decodes && !gone;
    }

    /** Whether its DMA leaves: bus mastering is on here and in all bridges above. */
    public boolean masters() {
        return masters && !gone;
    }

    /** It is pulled out, for good. */
    public void pullOut() {
        gone = true;
    }

    /** Returns whether it is pulled out. */
    public boolean isGone() {
        return gone;
    }

    /** It is there again. */
    public void putBack() {
        gone = false;
    }

    /** Reads the Command registers again, from the root down. */
    public void refresh() {
        int command = config.load16(ConfigSpace.COMMAND);
        boolean above = parent == null;
        decodes = (command & ConfigSpace.COMMAND_MEMORY) != 0 && (above || parentOrThrow().decodes);
        masters =
                (command & ConfigSpace.COMMAND_BUS_MASTER) != 0
                        && (above || parentOrThrow().masters);
    }

    /** What a Function Level Reset does to the configuration: Command, MSI-X and BARs are lost. */
    public void resetConfig(boolean relaxedOrdering) {
        ConfigLayout.resetControl(config, relaxedOrdering);
        config.init16(ConfigSpace.COMMAND, 0);
        int control = config.load16(ConfigLayout.MSIX + 2);
        config.init16(
                ConfigLayout.MSIX + 2,
                control & ~(ConfigLayout.MSIX_ENABLE | ConfigLayout.MSIX_MASK));
        for (BarSpace bar : bars) {
            int at = ConfigSpace.BAR0 + 4 * bar.index();
            config.init32(at, config.load32(at) & 0xf);
            config.init32(at + 4, 0);
        }
        refresh();
    }

    /** Returns the address in a BAR's registers right now. */
    public long barAddress(BarSpace bar) {
        int at = ConfigSpace.BAR0 + 4 * bar.index();
        long low = Integer.toUnsignedLong(config.load32(at)) & ~0xfL;
        return (Integer.toUnsignedLong(config.load32(at + 4)) << 32) | low;
    }

    /** Returns it as a value of a snapshot, read from the configuration space. */
    public PciFunction snapshot() {
        List<PciFunction.BarWindow> windows = new ArrayList<>();
        for (BarSpace bar : bars) {
            windows.add(new PciFunction.BarWindow(bar.index(), barAddress(bar), bar.sizeBytes()));
        }
        return PciFunction.read(
                bdf, parent == null ? null : parent.bdf, config, windows, locator());
    }

    private EmulatedFunction parentOrThrow() {
        return Objects.requireNonNull(parent);
    }
}
