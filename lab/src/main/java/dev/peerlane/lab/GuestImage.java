package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a Linux guest that change rarely and are kept between runs: a kernel and a root file
 * system from Debian's packages, and a Java runtime with the modules that the program needs.
 *
 * @param kernel the kernel
 * @param base the archive with busybox, modules and the guest's init program
 * @param runtime the archive with a Java runtime in {@code /java} and its libraries, or null for
 *     none
 * @param name the versions of kernel and runtime, for display
 */
record GuestImage(Path kernel, Path base, @Nullable Path runtime, String name) {
    /** Modules that are loaded after boot or by a test. */
    private static final List<String> MODULES =
            List.of("vfio-pci", "vfio_iommu_type1", "nvme", "md-mod", "raid1", "dm-mod");

    /** Modules of the Java platform that only libraries need. */
    private static final List<String> LIBRARY_MODULES = List.of("jdk.unsupported", "java.logging");

    private static final List<String> HOST_LIBRARIES =
            List.of("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1");
    private static final Path LIBRARIES = Path.of("/lib/x86_64-linux-gnu");
    private static final Path LOADER = Path.of("/lib64/ld-linux-x86-64.so.2");

    private static final Map<KernelSource, GuestImage> READY = new EnumMap<>(KernelSource.class);

    /** Returns the image, building what is missing. Looked up once per process. */
    static synchronized GuestImage ready(KernelSource source, List<Path> classes) {
        return READY.computeIfAbsent(source, each -> find(each, classes));
    }

    /** Returns an image without Java, building what is missing. */
    static GuestImage withoutJava(KernelSource source) {
        try {
            return of(base(source), null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static GuestImage of(Path base, @Nullable Path runtime) throws IOException {
        return new GuestImage(
                base.resolve("vmlinuz"),
                base.resolve("base.cpio"),
                runtime,
                Files.readString(base.resolve("name")));
    }

    private static GuestImage find(KernelSource source, List<Path> classes) {
        try {
            return of(base(source), runtime(classes).resolve("runtime.cpio"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path base(KernelSource source) throws IOException {
        PackageIndex index;
        List<DebianPackage> kernel;
        DebianPackage busybox;
        try {
            index = source.index();
            kernel = index.newestKernel();
            busybox = index.newest("busybox-static");
        } catch (PeerlaneException e) {
            List<Path> kept = LabCache.kept(source.kind());
            if (kept.isEmpty()) {
                throw e;
            }
            System.err.println("No package index (" + e.getMessage() + "): using " + kept.get(0));
            return kept.get(0);
        }
        String name = kernel.get(0).folderName();
        String stamp = kernel + "|" + busybox + "|" + MODULES + "|" + init();
        return LabCache.made(
                source.kind(),
                name + "-" + LabCache.digest(stamp),
                into -> {
                    Path packages = Files.createDirectory(into.resolve("packages"));
                    Path kernelRoot = packages.resolve("kernel");
                    Path busyboxRoot = packages.resolve("busybox");
                    index.unpack(kernel, kernelRoot);
                    index.unpack(List.of(busybox), busyboxRoot);
                    makeBase(
                            into, kernelRoot, first(busyboxRoot, "usr/bin/busybox", "bin/busybox"));
                    Files.writeString(into.resolve("name"), name);
                    LabCache.delete(packages);
                });
    }

    private static void makeBase(Path into, Path kernelRoot, Path busybox) throws IOException {
        Path all = onlyChild(first(kernelRoot, "usr/lib/modules", "lib/modules"));
        String release = all.getFileName().toString();
        Path image = first(kernelRoot, "boot/vmlinuz-" + release, all + "/vmlinuz");
        Files.copy(image, into.resolve("vmlinuz"));
        String self = busybox.toString();
        Tool.run(all, self, "find", ".", "-name", "*.ko.xz", "-exec", self, "unxz", "{}", "+");
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
        LabCache.delete(root);
    }

    /** Returns the first file that exists, because packages move to /usr one by one. */
    private static Path first(Path root, String... names) throws IOException {
        for (String name : names) {
            Path path = root.resolve(name);
            if (Files.exists(path)) {
                return path;
            }
        }
        throw new IOException(root + " has none of " + List.of(names));
    }

    private static String init() throws IOException {
        try (InputStream script = GuestImage.class.getResourceAsStream("guest-init.sh")) {
            if (script == null) {
                throw new IOException("guest-init.sh is not on the class path");
            }
            return new String(script.readAllBytes(), UTF_8);
        }
    }

    private static Path runtime(List<Path> classes) throws IOException {
        Path java = Path.of(System.getProperty("java.home"));
        String modules = String.join(",", modules(java, classes));
        StringBuilder stamp = new StringBuilder(modules);
        stamp.append(Files.readString(java.resolve("release")));
        for (String library : HOST_LIBRARIES) {
            stamp.append(Files.getLastModifiedTime(LIBRARIES.resolve(library)));
        }
        return LabCache.made(
                "runtime-",
                Runtime.version() + "-" + LabCache.digest(stamp.toString()),
                into -> makeRuntime(into, java, modules));
    }

    private static Set<String> modules(Path java, List<Path> classes) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(java.resolve("bin/jdeps").toString());
        command.addAll(List.of("--print-module-deps", "--ignore-missing-deps"));
        command.addAll(List.of("--multi-release", "25"));
        classes.forEach(each -> command.add(each.toString()));
        Set<String> modules = new TreeSet<>(LIBRARY_MODULES);
        modules.addAll(List.of(Tool.run(LabCache.folder(), command).strip().split(",", -1)));
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
        LabCache.delete(jre.resolve("legal"));
        try (Cpio cpio = Cpio.create(into.resolve("runtime.cpio"))) {
            cpio.tree("java", jre);
            cpio.file("lib64/ld-linux-x86-64.so.2", LOADER);
            for (String library : HOST_LIBRARIES) {
                cpio.file("lib/x86_64-linux-gnu/" + library, LIBRARIES.resolve(library));
            }
        }
        LabCache.delete(jre);
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
}
