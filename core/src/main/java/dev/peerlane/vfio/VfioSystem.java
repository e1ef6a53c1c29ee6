package dev.peerlane.vfio;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.SysfsFunction;
import dev.peerlane.pci.sysfs.SysfsTree;
import dev.peerlane.pci.sysfs.VfioSysfs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The facts about this machine that VFIO needs, read from sysfs and procfs. */
final class VfioSystem {
    private static final int CAP_IPC_LOCK = 14;

    private final Path sys;
    private final Path proc;
    private final SysfsTree tree;

    VfioSystem(VfioOptions options) {
        sys = options.system().sys();
        proc = options.system().proc();
        tree = SysfsTree.list(sys);
    }

    /** Returns the PCI tree as it was when this object was created. */
    SysfsTree tree() {
        return tree;
    }

    /** Returns a function. Throws unless it is present and bound to vfio-pci. */
    SysfsFunction require(Bdf bdf) {
        SysfsFunction function = find(bdf);
        String driver = function.driver();
        if (driver == null || !driver.startsWith("vfio")) {
            throw PeerlaneException.machine(
                            "not-bound",
                            "%s is bound to %s, not to vfio-pci"
                                    .formatted(
                                            bdf,
                                            driver == null ? "no driver" : "the driver " + driver),
                            "Bind %s to vfio-pci".formatted(bdf))
                    .with("function", bdf.toString());
        }
        return function;
    }

    private SysfsFunction find(Bdf bdf) {
        return tree.function(bdf)
                .orElseThrow(() ->
                        PeerlaneException.machine(
                                "no-such-device",
                                "there is no PCI function " + bdf,
                                "lspci -d ::0108 shows the NVMe functions of this machine"));
    }

    /** Returns the IOMMU group of a function. */
    int groupOf(Bdf bdf) {
        SysfsFunction function = find(bdf);
        if (function.iommuGroup() >= 0) {
            return function.iommuGroup();
        }
        throw PeerlaneException.machine(
                "no-iommu",
                bdf + " is in no IOMMU group: the IOMMU is off or missing",
                "Turn it on in the firmware (VT-d, AMD-Vi), and Intel's with intel_iommu=on on the"
                        + " kernel command line");
    }

    /** Returns whether a group belongs to the kernel's mode without an IOMMU. */
    boolean isWithoutIommu(int group) {
        try {
            Path name = sys.resolve("kernel/iommu_groups/" + group + "/name");
            return Files.readString(name).strip().equals("vfio-noiommu");
        } catch (IOException e) {
            return false;
        }
    }

    /** Returns the functions of a group with their drivers, as text for messages. */
    String describeGroup(int group) {
        return VfioSysfs.words(tree.group(group));
    }

    /** Returns the functions of a group whose drivers prevent its use, as text for messages. */
    String othersInTheWay(int group) {
        List<SysfsFunction> others = VfioSysfs.inTheWay(tree, group);
        return others.isEmpty() ? "none is visible in sysfs" : VfioSysfs.words(others);
    }

    /** Returns the bus addresses that any function or bridge in the machine decodes. */
    List<Span> decoded() {
        List<Span> spans = new ArrayList<>();
        for (SysfsFunction function : tree.functions()) {
            for (SysfsFunction.Window window : function.windows()) {
                if (window.start() >= 0) {
                    spans.add(Span.of(window.start(), window.last()));
                }
            }
        }
        return spans;
    }

    /** Returns the name of a function's node in /dev/vfio/devices, or null if it has none. */
    @Nullable String deviceNode(Bdf bdf) {
        String node = VfioSysfs.deviceNode(sys, bdf);
        return node == null || node.startsWith("noiommu-") ? null : node;
    }

    /** Returns whether this process is exempt from the limit of locked memory (CAP_IPC_LOCK). */
    boolean locksWithoutLimit() {
        try {
            String status =
                    Files.readString(proc.resolve("self/status"), StandardCharsets.ISO_8859_1);
            for (String line : status.split("\n", -1)) {
                if (line.startsWith("CapEff:")) {
                    long capabilities = Long.parseUnsignedLong(line.substring(7).strip(), 16);
                    return (capabilities & 1L << CAP_IPC_LOCK) != 0;
                }
            }
            return false;
        } catch (IOException | NumberFormatException e) {
            return false;
        }
    }
}
