package dev.peerlane.binding;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The devices that this machine's kernel exports to other machines by NVMe over Fabrics (nvmet) and
 * SCSI (LIO), as configured in /sys/kernel/config. These targets don't always open their devices
 * exclusively.
 */
final class Exports {
    private record Export(String node, String by) {}

    private final List<Export> exports = new ArrayList<>();

    Exports(Path sys) {
        Path config = sys.resolve("kernel/config");
        for (Path subsystem : KernelFiles.entries(config.resolve("nvmet/subsystems"))) {
            String by = "the NVMe target as " + subsystem.getFileName();
            for (Path namespace : KernelFiles.entries(subsystem.resolve("namespaces"))) {
                add(namespace, "device_path", by);
            }
            add(subsystem.resolve("passthru"), "device_path", by);
        }
        for (Path adapter : KernelFiles.entries(config.resolve("target/core"))) {
            for (Path device : KernelFiles.entries(adapter)) {
                add(device, "udev_path", "the SCSI target as " + device.getFileName());
            }
        }
    }

    private void add(Path folder, String attribute, String by) {
        String node = KernelFiles.text(folder.resolve(attribute));
        if (node != null && "1".equals(KernelFiles.text(folder.resolve("enable")))) {
            exports.add(new Export(real(node), by));
        }
    }

    /** Resolves symbolic links such as /dev/disk/by-id/… to the node's name. */
    private static String real(String node) {
        try {
            return Path.of(node).toRealPath().toString();
        } catch (IOException e) {
            return node;
        }
    }

    /** Returns the targets that export a device with one of these names in /dev. */
    List<String> of(Set<String> nodes) {
        return exports.stream()
                .filter(e -> nodes.contains(e.node))
                .map(Export::by)
                .distinct()
                .toList();
    }
}
