package dev.peerlane.pci;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One PCI function as Linux shows it under {@code /sys/bus/pci/devices}.
 *
 * @param function what every snapshot holds, without a name
 * @param directory where it was read
 * @param windows what it decodes: its BARs, and the windows of a bridge
 * @param iommuGroup its IOMMU group, or -1 if there is none
 * @param numaNode its NUMA node, or -1 if it has none
 * @param driver the driver that is bound to it, or null
 * @param driverOverride the only driver that may bind to it, or null
 * @param link what its link does, or null where there is none
 */
public record SysfsFunction(
        PciFunction function,
        Path directory,
        List<Window> windows,
        int iommuGroup,
        int numaNode,
        @Nullable String driver,
        @Nullable String driverOverride,
        @Nullable Link link) {

    /**
     * Bus addresses that a function or what is below it answers to.
     *
     * @param start the first
     * @param last the last
     */
    public record Window(long start, long last) {}

    /**
     * A PCI Express link, in the kernel's words, such as {@code 8.0 GT/s PCIe} and {@code 4}.
     *
     * @param speed what it runs at
     * @param width how many lanes it uses
     * @param maxSpeed what it could run at
     * @param maxWidth how many lanes it could use
     */
    public record Link(String speed, String width, String maxSpeed, String maxWidth) {
        /** Returns it as {@code 8.0 GT/s PCIe x4}, with what it could be if that is more. */
        @Override
        public String toString() {
            String now = speed + " x" + width;
            String best = maxSpeed + " x" + maxWidth;
            return now.equals(best) ? now : now + " (of " + best + ")";
        }
    }

    /** Keeps its own copy of the list. */
    public SysfsFunction {
        windows = List.copyOf(windows);
    }

    /** Returns its address. */
    public Bdf bdf() {
        return function.bdf();
    }

    /** Returns whether it is a bridge. */
    public boolean isBridge() {
        return function.kind() != PciFunction.Kind.ENDPOINT;
    }
}
