package dev.peerlane.binding;

import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.sysfs.SysfsFunction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds what uses a function's block devices: mounts, swap, stacks of device mapper, md, bcache or
 * loop devices, btrfs with several devices, targets that export them, programs. It searches the
 * whole stack, by reading files. {@link BlockClaim} finds out whether a device is held exclusively.
 */
final class BlockUse {
    private static final int MAX_STACK = 1024;

    /**
     * Block devices of a namespace. With multipath, the one of a single controller is hidden and
     * its name has a c.
     */
    private static final Pattern NAMESPACE = Pattern.compile("(nvme\\d+)(?:c\\d+)?(n\\d+)");

    private static final Pattern LOOP = Pattern.compile("loop\\d+");

    /**
     * A whole block device of a function.
     *
     * @param name the device's name, such as nvme0n1
     * @param nsid the namespace's identifier, or 0 if the device is no namespace or Linux does not
     *     show it
     */
    record Volume(String name, int nsid) {}

    private final Path sys;
    private final Mounts mounts;
    private final Programs programs;
    private final Exports exports;
    private final List<String> unread = new ArrayList<>();
    private final Set<String> swaps = new LinkedHashSet<>();
    private final Map<String, String> loops = new LinkedHashMap<>();

    /** Reads what the machine uses at this moment. */
    BlockUse(SystemRoot system) {
        sys = system.sys();
        mounts = new Mounts(system.proc());
        programs = new Programs(system.proc());
        exports = new Exports(sys);
        Path mountinfo = system.proc().resolve("self/mountinfo");
        if (!isReadableFile(mountinfo)) {
            unread.add("the mounts are unknown: " + mountinfo + " can't be read");
        }
        Path swap = system.proc().resolve("swaps");
        if (!Files.notExists(swap) && !isReadableFile(swap)) { // without swap there is no such file
            unread.add("the swap devices are unknown: " + swap + " can't be read");
        }
        for (String line : KernelFiles.lines(swap)) {
            String[] words = line.trim().split("\\s+", -1);
            if (words[0].startsWith("/")) {
                swaps.add(words[0]);
            }
        }
        for (Path block : KernelFiles.entries(sys.resolve("class/block"))) {
            String name = String.valueOf(block.getFileName());
            String file = KernelFiles.text(block.resolve("loop/backing_file"));
            if (file != null && LOOP.matcher(name).matches()) {
                loops.put(name, file);
            }
        }
    }

    /** Returns the programs that have nodes of devices open. */
    Programs programs() {
        return programs;
    }

    /**
     * Returns the block devices of a function: those of its namespaces and of the functions below
     * it.
     */
    List<Volume> volumes(SysfsFunction function) {
        Map<String, Integer> found = new LinkedHashMap<>();
        Path directory = FunctionFolder.of(sys, function);
        for (Path controller : KernelFiles.entries(directory.resolve("nvme"))) {
            for (Path entry : KernelFiles.entries(controller)) {
                Matcher name = NAMESPACE.matcher(String.valueOf(entry.getFileName()));
                if (name.matches()) {
                    found.put(name.group(1) + name.group(2), nsid(entry));
                }
            }
        }
        for (Path block : KernelFiles.entries(sys.resolve("class/block"))) {
            String name = String.valueOf(block.getFileName());
            boolean whole = !Files.exists(block.resolve("partition"));
            if (whole && isBelow(block, directory)) {
                Matcher namespace = NAMESPACE.matcher(name);
                boolean matches = namespace.matches();
                found.putIfAbsent(
                        matches ? namespace.group(1) + namespace.group(2) : name,
                        matches ? nsid(block) : 0);
            }
        }
        return found.entrySet().stream().map(e -> new Volume(e.getKey(), e.getValue())).toList();
    }

    private static int nsid(Path namespace) {
        String text = KernelFiles.text(namespace.resolve("nsid"));
        try {
            return text == null ? 0 : Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static boolean isReadableFile(Path file) {
        return Files.isRegularFile(file) && Files.isReadable(file);
    }

    private static boolean isBelow(Path block, Path directory) {
        try {
            return block.toRealPath().startsWith(directory.toRealPath());
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Returns why a function's block devices are in use, one sentence each; empty if they aren't.
     */
    List<String> reasons(SysfsFunction function) {
        Set<String> reasons = new LinkedHashSet<>();
        List<Volume> volumes = volumes(function);
        for (Volume volume : volumes) {
            stack(volume.name(), reasons);
        }
        if (!volumes.isEmpty()) {
            reasons.addAll(unread);
        }
        return List.copyOf(reasons);
    }

    private void stack(String volume, Set<String> reasons) {
        Deque<String> toSee = new ArrayDeque<>(List.of(volume));
        Set<String> seen = new LinkedHashSet<>();
        while (!toSee.isEmpty()) {
            if (seen.size() > MAX_STACK) {
                reasons.add(volume + " has more than %d devices above it".formatted(MAX_STACK));
                return;
            }
            String name = toSee.remove();
            if (!seen.add(name)) {
                continue;
            }
            Path device = sys.resolve("class/block").resolve(name);
            for (Path entry : KernelFiles.entries(device)) {
                if (Files.exists(entry.resolve("partition"))) {
                    toSee.add(String.valueOf(entry.getFileName()));
                }
            }
            for (Path holder : KernelFiles.entries(device.resolve("holders"))) {
                String above = String.valueOf(holder.getFileName());
                reasons.add(name + " is part of " + described(above));
                toSee.add(above);
            }
            loops.forEach((loop, file) -> {
                if (nodes(name).contains(file)) {
                    reasons.add(name + " is the backing device of " + loop);
                    toSee.add(loop);
                }
            });
            String through = name.equals(volume) ? "" : " (on " + volume + ")";
            uses(name, name + through, reasons);
        }
    }

    private void uses(String name, String called, Set<String> reasons) {
        Path device = sys.resolve("class/block").resolve(name);
        String number = KernelFiles.text(device.resolve("dev"));
        Set<String> nodes = nodes(name);
        for (Mounts.Mount mount : mounts.of(number == null ? "" : number, nodes)) {
            reasons.add(called + " " + mount.words());
        }
        if (nodes.stream().anyMatch(swaps::contains)) {
            reasons.add(called + " is used as swap");
        }
        for (Path pool : KernelFiles.entries(sys.resolve("fs/btrfs"))) {
            if (Files.exists(pool.resolve("devices").resolve(name))) {
                reasons.add(called + " is part of a mounted btrfs");
            }
        }
        if (Files.exists(device.resolve("bcache"))) {
            reasons.add(called + " is part of a bcache");
        }
        exports.of(nodes).forEach(by -> reasons.add(called + " is exported by " + by));
        programs.of(name).forEach(by -> reasons.add(called + " is open in " + by));
    }

    /** Returns the names of a block device in /dev. */
    private Set<String> nodes(String name) {
        Set<String> nodes = new TreeSet<>(Set.of("/dev/" + name));
        String mapped =
                KernelFiles.text(sys.resolve("class/block").resolve(name).resolve("dm/name"));
        if (mapped != null) {
            nodes.add("/dev/mapper/" + mapped);
        }
        Matcher namespace = NAMESPACE.matcher(name);
        if (namespace.matches()) {
            nodes.add("/dev/" + namespace.group(1)); // a passthrough target
        }
        return nodes;
    }

    /**
     * Returns a device's name for messages. The prefix of a mapped device's UUID names the program
     * that created it.
     */
    private String described(String name) {
        Path mapping = sys.resolve("class/block").resolve(name).resolve("dm");
        String mapped = KernelFiles.text(mapping.resolve("name"));
        String uuid = KernelFiles.text(mapping.resolve("uuid"));
        int dash = uuid == null ? -1 : uuid.indexOf('-');
        String kind = uuid == null || dash <= 0 ? "" : " (" + uuid.substring(0, dash) + ")";
        return mapped == null ? name : name + ", " + mapped + kind;
    }
}
