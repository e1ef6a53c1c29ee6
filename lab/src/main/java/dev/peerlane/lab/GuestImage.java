package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a Linux guest that change rarely, kept between runs: a kernel and a root folder of
 * Debian's packages, and a Java runtime with the modules that the program needs. The folder is
 * {@code ~/.cache/peerlane-lab}, or the system property {@code peerlane.lab.cache}; deleting it
 * costs a minute.
 *
 * @param kernel the kernel
 * @param base archive with busybox, modules and the guest's first program
 * @param runtime archive with a Java runtime in {@code /java} and the libraries that it needs
 * @param name kernel and runtime, to be shown
 */
record GuestImage(Path kernel, Path base, Path runtime, String name) {
    /** What loads after boot, or when a test wants it. */
    private static final List<String> MODULES =
            List.of("vfio-pci", "vfio_iommu_type1", "nvme", "md-mod", "raid1", "dm-mod");

    /** Modules of the Java platform that a library needs, not the program itself. */
    private static final List<String> LIBRARY_MODULES = List.of("java.logging");

    private static final List<String> HOST_LIBRARIES =
            List.of("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1");
    private static final Path LIBRARIES = Path.of("/lib/x86_64-linux-gnu");
    private static final Path LOADER = Path.of("/lib64/ld-linux-x86-64.so.2");
    private static final int KEPT = 3;

    private static @Nullable GuestImage ready;

    /** Returns the image, building what is missing; looked up once in a process. */
    static synchronized GuestImage ready(List<Path> classes) {
        GuestImage image = ready;
        if (image == null) {
            image = find(classes);
            ready = image;
        }
        return image;
    }

    private static GuestImage find(List<Path> classes) {
        try {
            Path cache = Files.createDirectories(cache());
            Path base = base(cache);
            Path runtime = runtime(cache, classes);
            return new GuestImage(
                    base.resolve("vmlinuz"),
                    base.resolve("base.cpio"),
                    runtime.resolve("runtime.cpio"),
                    Files.readString(base.resolve("name")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path cache() {
        String chosen = System.getProperty("peerlane.lab.cache");
        return chosen != null
                ? Path.of(chosen)
                : Path.of(System.getProperty("user.home"), ".cache", "peerlane-lab");
    }

    private static Path base(Path cache) throws IOException {
        DebianPackage kernel;
        DebianPackage busybox;
        try {
            kernel = DebianPackage.newestKernel(cache);
            busybox = DebianPackage.newest(cache, "busybox-static");
        } catch (PeerlaneException e) {
            List<Path> kept = built(cache, "base-");
            if (kept.isEmpty()) {
                throw e;
            }
            System.err.println("No package index (" + e.getMessage() + "): using " + kept.get(0));
            return kept.get(0);
        }
        String stamp = kernel + "|" + busybox + "|" + MODULES + "|" + init();
        return built(
                cache,
                "base-" + kernel.folderName() + "-" + digest(stamp),
                into -> {
                    Path packages = Files.createDirectory(into.resolve("packages"));
                    Path kernelRoot = kernel.unpack(packages);
                    Path busyboxRoot = busybox.unpack(packages);
                    makeBase(into, kernelRoot, busyboxRoot.resolve("bin/busybox"));
                    Files.writeString(into.resolve("name"), kernel.folderName());
                    delete(packages);
                });
    }

    private static void makeBase(Path into, Path kernelRoot, Path busybox) throws IOException {
        Path all = onlyChild(modulesFolder(kernelRoot));
        String release = all.getFileName().toString();
        Files.copy(kernelRoot.resolve("boot/vmlinuz-" + release), into.resolve("vmlinuz"));
        Path root = into.resolve("root");
        Path modules = Files.createDirectories(root.resolve("lib/modules/" + release));
        for (Path file : new KernelModules(all).with(MODULES)) {
            Path copy = modules.resolve(all.relativize(file).toString());
            Files.createDirectories(copy.getParent());
            Files.copy(file, copy);
        }
        for (String list : List.of("modules.builtin", "modules.builtin.modinfo", "modules.order")) {
            Files.copy(all.resolve(list), modules.resolve(list));
        }
        Tool.run(into, busybox.toString(), "depmod", "-b", root.toString(), release);
        try (Cpio cpio = Cpio.create(into.resolve("base.cpio"))) {
            for (String folder : List.of("dev", "proc", "sys", "tmp", "mnt", "guest", "root")) {
                cpio.folder(folder);
            }
            cpio.file("bin/busybox", busybox);
            cpio.link("bin/sh", "busybox");
            cpio.file("init", init().getBytes(UTF_8), true);
            cpio.tree("lib/modules", root.resolve("lib/modules"));
        }
        delete(root);
    }

    private static Path modulesFolder(Path kernelRoot) {
        Path merged = kernelRoot.resolve("usr/lib/modules");
        return Files.isDirectory(merged) ? merged : kernelRoot.resolve("lib/modules");
    }

    private static String init() throws IOException {
        try (InputStream script = GuestImage.class.getResourceAsStream("guest-init.sh")) {
            if (script == null) {
                throw new IOException("guest-init.sh is not on the class path");
            }
            return new String(script.readAllBytes(), UTF_8);
        }
    }

    private static Path runtime(Path cache, List<Path> classes) throws IOException {
        Path java = Path.of(System.getProperty("java.home"));
        String modules = String.join(",", modules(java, cache, classes));
        StringBuilder stamp = new StringBuilder(modules);
        stamp.append(Files.readString(java.resolve("release")));
        for (String library : HOST_LIBRARIES) {
            stamp.append(Files.getLastModifiedTime(LIBRARIES.resolve(library)));
        }
        return built(
                cache,
                "runtime-" + Runtime.version() + "-" + digest(stamp.toString()),
                into -> makeRuntime(into, java, modules));
    }

    private static Set<String> modules(Path java, Path cache, List<Path> classes) {
        List<String> command = new ArrayList<>();
        command.add(java.resolve("bin/jdeps").toString());
        command.addAll(List.of("--print-module-deps", "--ignore-missing-deps"));
        command.addAll(List.of("--multi-release", "25"));
        classes.forEach(each -> command.add(each.toString()));
        Set<String> modules = new TreeSet<>(LIBRARY_MODULES);
        modules.addAll(List.of(Tool.run(cache, command).strip().split(",", -1)));
        return modules;
    }

    private static void makeRuntime(Path into, Path java, String modules) throws IOException {
        Path jre = into.resolve("jre");
        Tool.run(
                into,
                java.resolve("bin/jlink").toString(),
                "--add-modules=" + modules,
                "--strip-debug",
                "--no-header-files",
                "--no-man-pages",
                "--generate-cds-archive",
                "--output=" + jre);
        delete(jre.resolve("legal"));
        try (Cpio cpio = Cpio.create(into.resolve("runtime.cpio"))) {
            cpio.tree("java", jre);
            cpio.file("lib64/ld-linux-x86-64.so.2", LOADER);
            for (String library : HOST_LIBRARIES) {
                cpio.file("lib/x86_64-linux-gnu/" + library, LIBRARIES.resolve(library));
            }
        }
        delete(jre);
    }

    private interface Maker {
        void make(Path into) throws IOException;
    }

    /** Returns a folder of the cache, made in one step so that two builds can't mix. */
    private static Path built(Path cache, String name, Maker maker) throws IOException {
        Path folder = cache.resolve(name);
        if (Files.isDirectory(folder)) {
            return folder;
        }
        System.err.println("Building the lab's guest: " + name);
        Path making = Files.createTempDirectory(cache, "making-");
        try {
            maker.make(making);
            move(making, folder);
        } finally {
            delete(making);
        }
        List<Path> all = built(cache, name.substring(0, name.indexOf('-') + 1));
        for (Path old : all.subList(Math.min(KEPT, all.size()), all.size())) {
            delete(old);
        }
        return folder;
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!Files.isDirectory(to)) {
                throw e;
            }
            // another build was faster; its result is as good
        }
    }

    /** Returns what the cache has of a kind, the newest first. */
    private static List<Path> built(Path cache, String prefix) throws IOException {
        try (Stream<Path> all = Files.list(cache)) {
            return all.filter(each -> String.valueOf(each.getFileName()).startsWith(prefix))
                    .sorted(Comparator.comparing(GuestImage::time).reversed())
                    .collect(Collectors.toList());
        }
    }

    private static FileTime time(Path path) {
        try {
            return Files.getLastModifiedTime(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path onlyChild(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            List<Path> found = all.toList();
            if (found.size() != 1) {
                throw new IOException(folder + " holds " + found + ", one was expected");
            }
            return found.get(0);
        }
    }

    private static String digest(String text) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
            return HexFormat.of().formatHex(sum, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Deletes a folder and all in it, or nothing if it is not there. */
    static void delete(Path tree) throws IOException {
        if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
