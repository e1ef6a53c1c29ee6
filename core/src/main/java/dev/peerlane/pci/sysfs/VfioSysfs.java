package dev.peerlane.pci.sysfs;

import dev.peerlane.pci.Bdf;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads from sysfs which functions VFIO has, and what prevents the use of a group. */
public final class VfioSysfs {
    /** Drivers of other functions that do not prevent the use of a group. */
    private static final Set<String> HARMLESS = Set.of("vfio-pci", "pci-stub", "pcieport");

    private VfioSysfs() {}

    /**
     * Returns the name of a function's node in /dev/vfio/devices, or null if it has none. Includes
     * nodes of the mode without an IOMMU.
     */
    public static @Nullable String deviceNode(Path sys, Bdf bdf) {
        return SystemFiles.of(sys, sys).list("sys/bus/pci/devices/" + bdf + "/vfio-dev").stream()
                .filter(n -> n.startsWith("vfio") || n.startsWith("noiommu-vfio"))
                .findFirst()
                .orElse(null);
    }

    /** Returns the functions of a group whose drivers prevent its use. */
    public static List<SysfsFunction> inTheWay(SysfsTree tree, int group) {
        return tree.group(group).stream()
                .filter(f -> f.driver() != null && !HARMLESS.contains(f.driver()))
                .toList();
    }

    /** Returns functions with their drivers, as text for a person. */
    public static String words(List<SysfsFunction> functions) {
        return functions.stream()
                .map(f -> f.bdf() + " (" + (f.driver() == null ? "no driver" : f.driver()) + ")")
                .collect(Collectors.joining(", "));
    }
}
