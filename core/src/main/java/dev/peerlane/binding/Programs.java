package dev.peerlane.binding;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds the programs that have nodes of namespaces or of VFIO open, from the descriptors that are
 * readable. Root sees all of them. A virtual machine's disk or a database on a raw partition shows
 * up nowhere else.
 */
final class Programs {
    private static final int MAX_PROCESSES = 1 << 17;
    private static final int MAX_DESCRIPTORS = 1 << 20;
    private static final Pattern PROCESS = Pattern.compile("[1-9]\\d*");
    private static final Pattern NODE = Pattern.compile("/dev/(?:nvme|ng)\\d+n\\d+(?:p\\d+)?");

    /**
     * Nodes of VFIO's groups and devices and of UIO. /dev/vfio/vfio is left out, since it
     * identifies no device.
     */
    private static final Pattern VFIO_NODE =
            Pattern.compile(
                    "/dev/vfio/(?:(?:noiommu-)?\\d+|devices/(?:noiommu-)?vfio\\d+)|/dev/uio\\d+");

    /** Link target of a descriptor from VFIO_GROUP_GET_DEVICE_FD, the same for every device. */
    private static final String VFIO_DEVICE = "anon_inode:[vfio-device]";

    /**
     * Link target of the initial PID namespace, whose number is fixed (PROC_PID_INIT_INO of the
     * kernel).
     */
    private static final String ALL_PROCESSES = "pid:[4026531836]";

    private final Map<String, Set<String>> users = new HashMap<>();
    private final Set<String> unnamed = new LinkedHashSet<>();
    private final Set<String> hidden = new LinkedHashSet<>();
    private final String pidNamespace;

    Programs(Path proc) {
        String own = Long.toString(ProcessHandle.current().pid());
        for (Path process : processes(proc)) {
            if (!process.endsWith(own)) {
                look(process);
            }
        }
        pidNamespace = target(proc.resolve("self/ns/pid"));
    }

    private void look(Path process) {
        boolean named = false;
        boolean device = false;
        Path descriptors = process.resolve("fd");
        if (!Files.isReadable(descriptors) || !Files.isDirectory(descriptors)) {
            if (Files.exists(process)) { // the process may have ended meanwhile
                hidden.add(described(process));
            }
            return;
        }
        for (Path descriptor : KernelFiles.entries(descriptors, MAX_DESCRIPTORS)) {
            String target = target(descriptor);
            boolean vfio = VFIO_NODE.matcher(target).matches();
            if (vfio || NODE.matcher(target).matches()) {
                users.computeIfAbsent(target, t -> new LinkedHashSet<>()).add(described(process));
            }
            named |= vfio;
            device |= target.equals(VFIO_DEVICE);
        }
        if (device && !named) {
            unnamed.add(described(process));
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException | UnsupportedOperationException e) {
            return "";
        }
    }

    /** Returns the programs that have a block device or its character device open. */
    Set<String> of(String name) {
        Set<String> all = new LinkedHashSet<>(users.getOrDefault("/dev/" + name, Set.of()));
        all.addAll(users.getOrDefault("/dev/" + name.replaceFirst("^nvme", "ng"), Set.of()));
        return all;
    }

    /** Returns the programs that have a node open, by its exact name. */
    Set<String> ofNode(String node) {
        return users.getOrDefault(node, Set.of());
    }

    /** Returns the programs that have a VFIO device open but no node that identifies it. */
    Set<String> withUnnamedDevices() {
        return unnamed;
    }

    /** Returns why programs may have been overlooked; empty if none was. */
    List<String> overlooked() {
        List<String> why = new ArrayList<>();
        if (!pidNamespace.equals(ALL_PROCESSES)) {
            why.add(
                    "/proc shows the processes of this PID namespace only (%s)"
                            .formatted(pidNamespace.isEmpty() ? "unknown" : pidNamespace));
        }
        if (!hidden.isEmpty()) {
            why.add(
                    "the descriptors of %s%s can't be read"
                            .formatted(
                                    hidden.iterator().next(),
                                    hidden.size() == 1
                                            ? ""
                                            : " and %d others".formatted(hidden.size() - 1)));
        }
        return why;
    }

    /** Returns the folders of all processes in procfs. */
    static List<Path> processes(Path proc) {
        return KernelFiles.entries(proc, MAX_PROCESSES).stream()
                .filter(e -> PROCESS.matcher(String.valueOf(e.getFileName())).matches())
                .toList();
    }

    /** Returns a process's number and name for messages. */
    static String described(Path process) {
        String name = KernelFiles.text(process.resolve("comm"));
        return "process %s (%s)".formatted(process.getFileName(), name == null ? "?" : name);
    }
}
