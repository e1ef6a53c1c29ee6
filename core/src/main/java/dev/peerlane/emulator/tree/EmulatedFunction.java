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

/** A bridge or a drive in the PCI tree: its position, its configuration space, its BARs. */
public final class EmulatedFunction {
    /**
     * A 64-bit memory BAR.
     *
     * @param index the index of its lower half
     * @param sizeBytes its length, a power of two
     * @param registerBytes bytes at its start that are registers
     * @param memory the memory behind the rest, at least as long as the BAR; or null
     */
    public record BarSpace(
            int index, long sizeBytes, long registerBytes, @Nullable MemorySegment memory) {}

    /**
     * Bytes of a BAR that writes of other functions do not reach.
     *
     * @param bar the BAR
     * @param from the offset of the first byte
     * @param bytes number of bytes
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

    /** Returns the PCI address. */
    public Bdf bdf() {
        return bdf;
    }

    /** Returns the bridge above this function, or null at the root. */
    public @Nullable EmulatedFunction parent() {
        return parent;
    }

    /** Returns the configuration space as software sees it. */
    public ConfigSpace config() {
        return config;
    }

    /** Returns the configuration space as the function's maker lays it out. */
    EmulatedConfig layout() {
        return config;
    }

    /**
     * Calls a listener with the offset of each word of configuration space that the owner writes.
     */
    public void onConfigWrite(FabricOwner by, IntConsumer listener) {
        config.onWrite(by, listener);
    }

    /** Returns whether MSI-X is enabled (PCIe 5.0, 7.7.2). */
    public boolean isMsixEnabled() {
        return (config.load16(ConfigLayout.MSIX + 2) & ConfigLayout.MSIX_ENABLE) != 0;
    }

    /** Returns whether Function Mask masks all MSI-X vectors. */
    public boolean isMsixMasked() {
        return (config.load16(ConfigLayout.MSIX + 2) & ConfigLayout.MSIX_MASK) != 0;
    }

    /**
     * Returns whether the last write to the word at this offset requests a Function Level Reset.
     */
    public boolean asksForReset(int offset) {
        return offset == ConfigLayout.DEVICE_CONTROL
                && (config.load16(offset) & ConfigLayout.INITIATE_FLR) != 0;
    }

    /**
     * Requests a Function Level Reset as a host does, which saves and restores what the reset
     * clears.
     */
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

    /** Returns the BARs. */
    public List<BarSpace> bars() {
        return bars;
    }

    /** Returns the hole that writes of other functions do not reach, or null. */
    public @Nullable Hole hole() {
        return hole;
    }

    /** Sets the hole; null for none. */
    public void hole(@Nullable Hole other) {
        hole = other;
    }

    /** Returns the counts of this function's DMA. */
    public DmaCounts traffic() {
        return traffic;
    }

    /** Returns the description of the drive, or null for a bridge. */
    public @Nullable DriveModel drive() {
        return drive;
    }

    /** Returns the locator of the drive, or null for a bridge. */
    public @Nullable String locator() {
        return drive == null ? null : drive.locator();
    }

    /**
     * Returns whether accesses to the BARs arrive: memory decoding is on here and in all bridges
     * above.
     */
    public boolean decodes() {
        return decodes && !gone;
    }

    /**
     * Returns whether DMA of this function leaves: bus mastering is on here and in all bridges
     * above.
     */
    public boolean masters() {
        return masters && !gone;
    }

    /** Removes the function from its slot. Only {@link #putBack} brings it back. */
    public void pullOut() {
        gone = true;
    }

    /** Returns whether the function is removed. */
    public boolean isGone() {
        return gone;
    }

    /** Brings a removed function back. */
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

    /** Applies a Function Level Reset to the configuration: Command, MSI-X and BARs are cleared. */
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

    /** Returns the present address of a BAR, from its registers. */
    public long barAddress(BarSpace bar) {
        int at = ConfigSpace.BAR0 + 4 * bar.index();
        long low = Integer.toUnsignedLong(config.load32(at)) & ~0xfL;
        return (Integer.toUnsignedLong(config.load32(at + 4)) << 32) | low;
    }

    /** Returns a snapshot of the function, read from its configuration space. */
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
