package dev.peerlane.binding;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The mounts that this process sees, those of init, and those of every other mount namespace whose
 * processes are readable. A device that was found already is skipped in the other namespaces.
 */
final class Mounts {
    private static final int SOURCE_AFTER_DASH = 2;
    private static final int MAX_NAMESPACES = 4096;

    /**
     * A mount of a block device.
     *
     * @param device the device's major and minor number, such as 259:1
     * @param point the mount point
     * @param source the mounted device, such as /dev/nvme0n1
     * @param by names the mount namespace for messages; empty for this process and init
     */
    record Mount(String device, String point, String source, String by) {
        String words() {
            return by.isEmpty() && point.equals("/")
                    ? "holds the running root"
                    : "is mounted on " + point + by;
        }
    }

    private final List<Mount> mounts = new ArrayList<>();

    Mounts(Path proc) {
        read(proc.resolve("self/mountinfo"), "", Set.of());
        read(proc.resolve("1/mountinfo"), "", Set.of());
        Set<String> namespaces = new LinkedHashSet<>();
        namespaces.add(namespace(proc.resolve("self")));
        namespaces.add(namespace(proc.resolve("1")));
        for (Path process : Programs.processes(proc)) {
            if (namespaces.size() > MAX_NAMESPACES) {
                break;
            }
            if (namespaces.add(namespace(process))) {
                Set<String> seen = new LinkedHashSet<>();
                mounts.forEach(m -> seen.addAll(List.of(m.device, m.source)));
                String by = " in the mount namespace of " + Programs.described(process);
                read(process.resolve("mountinfo"), by, seen);
            }
        }
    }

    /** Returns the mount namespace of a process, or an empty string if it is not readable. */
    private static String namespace(Path process) {
        try {
            return Files.readSymbolicLink(process.resolve("ns/mnt")).toString();
        } catch (IOException | UnsupportedOperationException e) {
            return "";
        }
    }

    /**
     * Reads a mountinfo file. Each line has id, parent, major:minor, root, mount point, …, a dash,
     * type, source, options.
     */
    private void read(Path file, String by, Set<String> seen) {
        for (String line : KernelFiles.lines(file)) {
            List<String> words = List.of(line.split(" ", -1));
            int dash = words.indexOf("-");
            if (words.size() <= 5 || dash <= 0 || dash + SOURCE_AFTER_DASH >= words.size()) {
                continue;
            }
            String device = words.get(2);
            String source = words.get(dash + SOURCE_AFTER_DASH);
            if (!seen.contains(device) && !(source.startsWith("/dev/") && seen.contains(source))) {
                mounts.add(new Mount(device, words.get(4), source, by));
            }
        }
    }

    /** Returns the mounts of a block device, found by its number or one of its names in /dev. */
    List<Mount> of(String number, Set<String> nodes) {
        return mounts.stream()
                .filter(m -> m.device.equals(number) || nodes.contains(m.source))
                .toList();
    }
}
