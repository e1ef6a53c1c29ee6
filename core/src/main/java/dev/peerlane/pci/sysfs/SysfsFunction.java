package dev.peerlane.pci.sysfs;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Link;
import dev.peerlane.pci.PciFunction;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One PCI function as Linux presents it under {@code /sys/bus/pci/devices}.
 *
 * @param function the part that every snapshot holds, without a name
 * @param directory the function's directory, on the machine or in a capture of it
 * @param windows the address ranges that it decodes: its BARs, and the windows of a bridge
 * @param driverOverride the only driver that may bind to the function, or null
 * @param above the functions above this one, outermost first: bridges, and functions that create a
 *     PCI domain of their own, such as Intel's VMD, which is not a bridge
 */
public record SysfsFunction(
        PciFunction function,
        Path directory,
        List<Window> windows,
        @Nullable String driverOverride,
        List<Bdf> above) {

    /**
     * A range of bus addresses that a function or the functions below it decode.
     *
     * @param start first address
     * @param last last address
     */
    public record Window(long start, long last) {}

    /** Copies the lists. */
    public SysfsFunction {
        windows = List.copyOf(windows);
        above = List.copyOf(above);
    }

    /** Returns the address of the function. */
    public Bdf bdf() {
        return function.bdf();
    }

    /** Returns whether the function is a bridge. */
    public boolean isBridge() {
        return function.isBridge();
    }

    /** Returns the IOMMU group, or -1 if there is none. */
    public int iommuGroup() {
        return function.details().iommuGroup();
    }

    /** Returns the NUMA node, or -1 if there is none. */
    public int numaNode() {
        return function.details().numaNode();
    }

    /** Returns the driver that is bound to the function, or null. */
    public @Nullable String driver() {
        return function.details().driver();
    }

    /** Returns the link, or null if there is none. */
    public @Nullable Link link() {
        return function.link();
    }

    SysfsFunction with(PciFunction other) {
        List<Bdf> bridge = other.parent() == null ? List.of() : List.of(other.parent());
        return new SysfsFunction(other, directory, windows, driverOverride, bridge);
    }
}
