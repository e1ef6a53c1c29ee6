package dev.peerlane.pci.sysfs;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Link;
import dev.peerlane.pci.PciFunction;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One PCI function as Linux shows it under {@code /sys/bus/pci/devices}.
 *
 * @param function what every snapshot holds, without a name
 * @param directory where it is, or was on the machine that a capture is of
 * @param windows what it decodes: its BARs, and the windows of a bridge
 * @param driverOverride the only driver that may bind to it, or null
 * @param above the functions that it hangs from, outermost first: bridges, and what makes a PCI
 *     domain of its own, such as Intel's VMD, which is no bridge
 */
public record SysfsFunction(
        PciFunction function,
        Path directory,
        List<Window> windows,
        @Nullable String driverOverride,
        List<Bdf> above) {

    /**
     * Bus addresses that a function or what is below it answers to.
     *
     * @param start the first
     * @param last the last
     */
    public record Window(long start, long last) {}

    /** Copies the lists. */
    public SysfsFunction {
        windows = List.copyOf(windows);
        above = List.copyOf(above);
    }

    /** Returns its address. */
    public Bdf bdf() {
        return function.bdf();
    }

    /** Returns whether it is a bridge. */
    public boolean isBridge() {
        return function.isBridge();
    }

    /** Returns its IOMMU group, or -1 if there is none. */
    public int iommuGroup() {
        return function.details().iommuGroup();
    }

    /** Returns its NUMA node, or -1 if it has none. */
    public int numaNode() {
        return function.details().numaNode();
    }

    /** Returns the driver that is bound to it, or null. */
    public @Nullable String driver() {
        return function.details().driver();
    }

    /** Returns what its link does, or null where there is none. */
    public @Nullable Link link() {
        return function.link();
    }

    SysfsFunction with(PciFunction other) {
        List<Bdf> bridge = other.parent() == null ? List.of() : List.of(other.parent());
        return new SysfsFunction(other, directory, windows, driverOverride, bridge);
    }
}
