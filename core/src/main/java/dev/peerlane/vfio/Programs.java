package dev.peerlane.vfio;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which programs have nodes of namespaces open, as far as their descriptors may be looked at. Root
 * sees all; a virtual machine's disk and a database on a raw partition show nowhere else.
 */
final class Programs {
    private static final int MAX_PROCESSES = 1 << 17;
    private static final int MAX_DESCRIPTORS = 1 << 20;
    private static final Pattern PROCESS = Pattern.compile("[1-9]\\d*");
    private static final Pattern NODE = Pattern.compile("/dev/(?:nvme|ng)\\d+n\\d+(?:p\\d+)?");

    private final Map<String, Set<String>> users = new HashMap<>();

    Programs(Path proc) {
        String own = Long.toString(ProcessHandle.current().pid());
        for (Path process : processes(proc)) {
            if (!process.endsWith(own)) {
                look(process);
            }
        }
    }

    private void look(Path process) {
        for (Path descriptor : Folder.entries(process.resolve("fd"), MAX_DESCRIPTORS)) {
            String target = target(descriptor);
            if (NODE.matcher(target).matches()) {
                users.computeIfAbsent(target, t -> new LinkedHashSet<>()).add(described(process));
            }
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException | UnsupportedOperationException e) {
            return "";
        }
    }

    /** Returns who has a block device or the character device beside it open. */
    Set<String> of(String name) {
        Set<String> all = new LinkedHashSet<>(users.getOrDefault("/dev/" + name, Set.of()));
        all.addAll(users.getOrDefault("/dev/" + name.replaceFirst("^nvme", "ng"), Set.of()));
        return all;
    }

    /** Returns the folders of all processes. */
    static List<Path> processes(Path proc) {
        return Folder.entries(proc, MAX_PROCESSES).stream()
                .filter(e -> PROCESS.matcher(String.valueOf(e.getFileName())).matches())
                .toList();
    }

    /** Returns a process in words. */
    static String described(Path process) {
        String name = BlockUse.text(process.resolve("comm"));
        return "process %s (%s)".formatted(process.getFileName(), name == null ? "?" : name);
    }
}
