package dev.peerlane.binding;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What this machine's kernel hands out to other machines: NVMe over fabrics (nvmet) and SCSI (LIO),
 * as they are configured below /sys/kernel/config. Neither opens its devices exclusively always.
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

    /** A name such as /dev/disk/by-id/… leads to another. */
    private static String real(String node) {
        try {
            return Path.of(node).toRealPath().toString();
        } catch (IOException e) {
            return node;
        }
    }

    /** Returns who exports something that has one of these names below /dev. */
    List<String> of(Set<String> nodes) {
        return exports.stream()
                .filter(e -> nodes.contains(e.node))
                .map(Export::by)
                .distinct()
                .toList();
    }
}
