package dev.peerlane.vfio;

import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.pci.SysfsFunction;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Who uses the block devices of a function: mounts, swap, stacks of device mapper or md, btrfs with
 * several devices. Looks through the whole stack, and at init's mounts too where it may.
 */
final class BlockUse {
    private static final int MAX_DEVICES = 1024;
    private static final int MAX_LINES = 100_000;

    /** Block devices of a namespace; with multipath the one below a controller is hidden. */
    private static final Pattern NAMESPACE = Pattern.compile("(nvme\\d+)(?:c\\d+)?(n\\d+)");

    private static final int SOURCE_AFTER_DASH = 2;
    private static final int O_EXCL = 0x80;

    private record Mount(String device, String point, String source) {}

    private final Path sys;
    private final Path proc;
    private final @Nullable Kernel kernel;
    private final List<Mount> mounts = new ArrayList<>();
    private final Set<String> swaps = new LinkedHashSet<>();

    /** Reads mounts and swap areas as they are now; {@code kernel} is null to ask nobody. */
    BlockUse(VfioOptions options, @Nullable Kernel kernel) {
        sys = options.sys();
        proc = options.proc();
        this.kernel = kernel;
        readMounts(proc.resolve("self/mountinfo"));
        readMounts(proc.resolve("1/mountinfo"));
        for (String line : lines(proc.resolve("swaps"))) {
            String[] words = line.trim().split("\\s+", -1);
            if (words[0].startsWith("/")) {
                swaps.add(words[0]);
            }
        }
    }

    /** Each line: id, parent, major:minor, root, mount point, …, a dash, type, source, options. */
    private void readMounts(Path file) {
        for (String line : lines(file)) {
            List<String> words = List.of(line.split(" ", -1));
            int dash = words.indexOf("-");
            if (words.size() > 5 && dash > 0 && dash + SOURCE_AFTER_DASH < words.size()) {
                mounts.add(
                        new Mount(words.get(2), words.get(4), words.get(dash + SOURCE_AFTER_DASH)));
            }
        }
    }

    /** Returns the names of the block devices of a function's namespaces, such as nvme0n1. */
    List<String> namespaces(SysfsFunction function) {
        Set<String> names = new LinkedHashSet<>();
        for (Path controller : entries(Inventory.directory(sys, function).resolve("nvme"))) {
            for (Path entry : entries(controller)) {
                Matcher name = NAMESPACE.matcher(String.valueOf(entry.getFileName()));
                if (name.matches()) {
                    names.add(name.group(1) + name.group(2));
                }
            }
        }
        return List.copyOf(names);
    }

    /**
     * Returns why a function's block devices are in use, one sentence each; empty if they aren't.
     */
    List<String> reasons(SysfsFunction function) {
        Set<String> reasons = new LinkedHashSet<>();
        for (String namespace : namespaces(function)) {
            int before = reasons.size();
            stack(namespace, reasons);
            if (reasons.size() == before && isHeld(namespace)) {
                reasons.add(namespace + " is held by a program or a file system of its own");
            }
        }
        return List.copyOf(reasons);
    }

    private void stack(String namespace, Set<String> reasons) {
        Deque<String> toSee = new ArrayDeque<>(List.of(namespace));
        Set<String> seen = new LinkedHashSet<>();
        while (!toSee.isEmpty() && seen.size() < MAX_DEVICES) {
            String name = toSee.remove();
            if (!seen.add(name)) {
                continue;
            }
            Path device = sys.resolve("class/block").resolve(name);
            for (Path entry : entries(device)) {
                if (Files.exists(entry.resolve("partition"))) {
                    toSee.add(String.valueOf(entry.getFileName()));
                }
            }
            for (Path holder : entries(device.resolve("holders"))) {
                String above = String.valueOf(holder.getFileName());
                reasons.add(name + " is part of " + described(above));
                toSee.add(above);
            }
            String through = name.equals(namespace) ? "" : " (on " + namespace + ")";
            uses(name, device, through, reasons);
        }
    }

    private void uses(String name, Path device, String through, Set<String> reasons) {
        String number = text(device.resolve("dev"));
        String mapped = text(device.resolve("dm/name"));
        for (Mount mount : mounts) {
            if (mount.device.equals(number)
                    || mount.source.equals("/dev/" + name)
                    || (mapped != null && mount.source.equals("/dev/mapper/" + mapped))) {
                reasons.add(
                        mount.point.equals("/")
                                ? name + through + " holds the running root"
                                : name + through + " is mounted on " + mount.point);
            }
        }
        if (swaps.contains("/dev/" + name)
                || (mapped != null && swaps.contains("/dev/mapper/" + mapped))) {
            reasons.add(name + through + " is used as swap");
        }
        for (Path pool : entries(sys.resolve("fs/btrfs"))) {
            if (Files.exists(pool.resolve("devices").resolve(name))) {
                reasons.add(name + through + " is part of a mounted btrfs");
            }
        }
    }

    private String described(String name) {
        String mapped = text(sys.resolve("class/block").resolve(name).resolve("dm/name"));
        return mapped == null ? name : name + ", " + mapped;
    }

    /**
     * Whoever has it exclusively keeps others from having it so: a mount elsewhere, ZFS, a tool.
     */
    private boolean isHeld(String name) {
        if (kernel == null) {
            return false;
        }
        long fd = kernel.open("/dev/" + name, Kernel.O_RDONLY | O_EXCL | Kernel.O_CLOEXEC);
        if (fd >= 0) {
            VfioSystem.close(kernel, (int) fd, "/dev/" + name);
        }
        return fd == -Errno.EBUSY;
    }

    private static List<Path> entries(Path directory) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
            for (Path entry : all) {
                if (found.size() < MAX_DEVICES) {
                    found.add(entry);
                }
            }
        } catch (IOException e) {
            return List.of();
        }
        found.sort(null);
        return found;
    }

    private static List<String> lines(Path file) {
        try (var all = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            return all.limit(MAX_LINES).toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    static @Nullable String text(Path file) {
        try {
            String text = Files.readString(file, StandardCharsets.ISO_8859_1).strip();
            return text.isEmpty() ? null : text;
        } catch (IOException e) {
            return null;
        }
    }
}
