package dev.peerlane.pci.sysfs;

import dev.peerlane.pci.Bdf;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What sysfs shows of functions that VFIO has, and of what keeps it from having a group. */
public final class VfioSysfs {
    /** Drivers of other functions that don't keep a group from being used. */
    private static final Set<String> HARMLESS = Set.of("vfio-pci", "pci-stub", "pcieport");

    private VfioSysfs() {}

    /**
     * Returns the name of a function's node below /dev/vfio/devices, with those of the mode without
     * an IOMMU; null if it has none.
     */
    public static @Nullable String deviceNode(Path sys, Bdf bdf) {
        return SystemFiles.of(sys, sys).list("sys/bus/pci/devices/" + bdf + "/vfio-dev").stream()
                .filter(n -> n.startsWith("vfio") || n.startsWith("noiommu-vfio"))
                .findFirst()
                .orElse(null);
    }

    /** Returns the functions of a group whose drivers keep it from being used. */
    public static List<SysfsFunction> inTheWay(SysfsTree tree, int group) {
        return tree.group(group).stream()
                .filter(f -> f.driver() != null && !HARMLESS.contains(f.driver()))
                .toList();
    }

    /** Returns functions with their drivers, in words. */
    public static String words(List<SysfsFunction> functions) {
        return functions.stream()
                .map(f -> f.bdf() + " (" + (f.driver() == null ? "no driver" : f.driver()) + ")")
                .collect(Collectors.joining(", "));
    }
}
