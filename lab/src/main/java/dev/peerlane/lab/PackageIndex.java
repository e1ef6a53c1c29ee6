package dev.peerlane.lab;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds and downloads Debian packages, of this machine's release or of Debian sid, whose kernel and
 * QEMU are newer. Nothing is installed. Sid's index, sources and downloads are separate from this
 * machine's, so its apt never sees them.
 */
final class PackageIndex {
    private static final Pattern DEPENDS = Pattern.compile("(?m)^\\s*\\|?Depends: (\\S+)");
    private static final Pattern VERSION = Pattern.compile("(?m)^Version: (\\S+)");
    private static final Path KEYRING = Path.of("/usr/share/keyrings/debian-archive-keyring.gpg");
    private static final String KERNEL = "linux-image-cloud-amd64";
    private static final String SID = "sid-index-";

    private final List<String> options;
    private final @Nullable String mirror;

    private PackageIndex(List<String> options, @Nullable String mirror) {
        this.options = options;
        this.mirror = mirror;
    }

    /** Returns the index of the release that this machine runs. */
    static PackageIndex ofThisMachine() {
        return new PackageIndex(List.of(), null);
    }

    /**
     * Returns today's index of sid. If sid can't be reached, uses an older index from the cache and
     * reports it.
     *
     * @throws PeerlaneException if sid can't be reached and the cache has no index
     */
    static PackageIndex sid() {
        try {
            return sid(mirror());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns an index like {@link #sid()}, from a given mirror. */
    static PackageIndex sid(String mirror) {
        try {
            Path folder;
            try {
                folder =
                        LabCache.made(
                                SID,
                                LocalDate.now(ZoneOffset.UTC) + "",
                                into -> fetchSid(into, mirror));
            } catch (PeerlaneException e) {
                List<Path> kept = LabCache.kept(SID);
                if (kept.isEmpty()) {
                    throw unreachable(mirror, e);
                }
                folder = kept.get(0);
                System.err.println(e.getMessage() + "; using " + folder);
            }
            return new PackageIndex(sidOptions(folder), mirror);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the mirror of this machine's own packages. */
    private static String mirror() throws IOException {
        Path folder = LabCache.folder();
        List<String> question =
                List.of(
                        "apt-get",
                        "indextargets",
                        "--format",
                        "$(REPO_URI)",
                        "Identifier: Packages",
                        "Origin: Debian",
                        "Label: Debian");
        String found = Tool.run(folder, question).strip();
        if (found.isEmpty()) {
            refreshMachine(folder); // the origin of the archive is known only from its index
            found = Tool.run(folder, question).strip();
        }
        if (found.isEmpty() || !Files.exists(KEYRING)) {
            throw PeerlaneException.machine(
                    "no-debian-archive",
                    found.isEmpty()
                            ? "the package sources of this machine name no archive of Debian"
                            : KEYRING + ", which sid's index is checked with, is not there",
                    "The lab takes a newer kernel and QEMU from Debian sid, on Debian; install"
                            + " debian-archive-keyring");
        }
        return found.lines().findFirst().orElseThrow();
    }

    private static void fetchSid(Path folder, String mirror) throws IOException {
        Files.createDirectories(folder.resolve("lists/partial"));
        Files.createDirectories(folder.resolve("cache"));
        Files.createFile(folder.resolve("status"));
        // Check-Valid-Until: a stale mirror is good enough, since nothing is installed
        Files.writeString(
                folder.resolve("sid.sources"),
                """
                Types: deb
                URIs: %s
                Suites: sid
                Components: main
                Architectures: amd64
                Check-Valid-Until: no
                Signed-By: %s
                """
                        .formatted(mirror, KEYRING));
        List<String> command = new ArrayList<>(List.of("apt-get", "update", "-qq"));
        command.addAll(List.of("-o", "APT::Update::Error-Mode=any"));
        command.addAll(sidOptions(folder));
        Tool.run(folder, command);
    }

    private static List<String> sidOptions(Path folder) {
        List<String> options = new ArrayList<>();
        for (String each :
                List.of(
                        "Dir::State=" + folder,
                        "Dir::State::lists=" + folder.resolve("lists"),
                        "Dir::State::status=" + folder.resolve("status"),
                        "Dir::Cache=" + folder.resolve("cache"),
                        "Dir::Cache::pkgcache=pkgcache.bin",
                        "Dir::Cache::srcpkgcache=",
                        "Dir::Etc::sourcelist=" + folder.resolve("sid.sources"),
                        "Dir::Etc::sourceparts=/dev/null",
                        "Dir::Etc::preferences=/dev/null",
                        "Dir::Etc::preferencesparts=/dev/null",
                        "APT::Architecture=amd64",
                        "APT::Architectures=amd64",
                        "APT::Sandbox::User=root", // apt's own user can't write there
                        "Acquire::Languages=none")) {
            options.add("-o");
            options.add(each);
        }
        return options;
    }

    private static PeerlaneException unreachable(String mirror, PeerlaneException cause) {
        return new PeerlaneException(
                Category.MACHINE,
                "sid-unreachable",
                "Debian sid's package index can't be fetched from %s: %s"
                        .formatted(mirror, cause.getMessage()),
                "What runs on sid's kernel or QEMU needs it once a machine; connect it to a Debian"
                        + " mirror",
                cause);
    }

    /** Finds the newest version of a package. */
    DebianPackage newest(String name) {
        Matcher matcher = VERSION.matcher(ask("show", "--no-all-versions", name));
        if (!matcher.find()) {
            throw unknown(name);
        }
        return new DebianPackage(name, matcher.group(1));
    }

    /**
     * Returns the newest cloud kernel: its package, and the packages for image and modules that
     * later releases split off.
     */
    List<DebianPackage> newestKernel() {
        String image =
                depends(KERNEL).stream()
                        .filter(each -> each.startsWith("linux-image-"))
                        .findFirst()
                        .orElseThrow(() -> unknown(KERNEL));
        Stream<String> parts =
                depends(image).stream().filter(each -> each.matches("linux-[a-z]+-\\d.*"));
        return Stream.concat(Stream.of(image), parts).map(this::newest).toList();
    }

    private List<String> depends(String name) {
        return DEPENDS.matcher(ask("depends", name)).results().map(each -> each.group(1)).toList();
    }

    private String ask(String... question) {
        List<String> command = new ArrayList<>(List.of("apt-cache"));
        command.addAll(options);
        command.addAll(List.of(question));
        return refreshed(command);
    }

    /**
     * Runs a command, and repeats it with a fresh index if it fails, since a stale index names
     * packages that are gone.
     */
    private String refreshed(List<String> command) {
        try {
            Path folder = LabCache.folder();
            try {
                return Tool.run(folder, command);
            } catch (PeerlaneException e) {
                if (mirror == null) {
                    refreshMachine(folder);
                    return Tool.run(folder, command);
                }
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void refreshMachine(Path folder) {
        boolean root = "root".equals(System.getProperty("user.name"));
        List<String> update = List.of("apt-get", "update", "-qq");
        if (root) {
            Tool.run(folder, update);
        } else {
            Tool.run(folder, "sudo", "-n", "apt-get", "update", "-qq");
        }
    }

    private PeerlaneException unknown(String name) {
        return PeerlaneException.machine(
                "no-such-package",
                mirror == null
                        ? "the package index of this machine does not know " + name
                        : "Debian sid, as %s has it, does not know %s".formatted(mirror, name),
                "The guest is built from Debian's packages, on Debian; run apt-get update");
    }

    /** Downloads packages and unpacks them into one root directory, without dependencies. */
    void unpack(List<DebianPackage> packages, Path root) {
        try {
            Path fetched = Files.createTempDirectory(root.toAbsolutePath().getParent(), "fetched-");
            for (DebianPackage each : packages) {
                List<String> command = new ArrayList<>(List.of("apt-get", "download", "-qq"));
                command.addAll(options);
                command.add(each.name() + "=" + each.version());
                fetch(command, fetched);
            }
            unpackAll(fetched, root);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void fetch(List<String> command, Path into) {
        try {
            Tool.run(into, command);
        } catch (PeerlaneException e) {
            if (mirror != null) {
                throw e;
            }
            refreshMachine(into);
            Tool.run(into, command);
        }
    }

    private static void unpackAll(Path fetched, Path root) throws IOException {
        Files.createDirectories(root);
        try (Stream<Path> files = Files.list(fetched)) {
            for (Path file : files.filter(each -> each.toString().endsWith(".deb")).toList()) {
                Tool.run(root, "dpkg-deb", "-x", file.toString(), root.toString());
            }
        }
        LabCache.delete(fetched);
    }

    /**
     * Returns a root directory from the cache with packages and their dependencies, without
     * recommended packages.
     */
    DebianRoot rootWith(String... names) {
        try {
            List<String> command = install(names);
            command.add("--simulate");
            String versions = refreshed(command); // each line: Inst NAME (VERSION …)
            String kind = "root-" + String.join("+", names) + "_";
            String rest = newest(names[0]).folderName() + "-" + LabCache.digest(versions);
            return new DebianRoot(LabCache.made(kind, rest, into -> makeRoot(into, names)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void makeRoot(Path into, String... names) throws IOException {
        Path fetched = Files.createDirectories(into.resolve("fetched"));
        Files.createDirectory(fetched.resolve("partial"));
        List<String> command = install(names);
        command.add("--download-only");
        command.addAll(List.of("-o", "Dir::Cache::archives=" + fetched));
        fetch(command, fetched);
        for (String folder : List.of("bin", "sbin", "lib", "lib64")) {
            Files.createDirectories(into.resolve("usr/" + folder));
            Files.createSymbolicLink(into.resolve(folder), Path.of("usr/" + folder));
        }
        unpackAll(fetched, into);
    }

    /** Returns a command that would install packages on an empty machine. */
    private List<String> install(String... names) {
        List<String> command = new ArrayList<>(List.of("apt-get", "install", "-qq", "--yes"));
        command.add("--no-install-recommends");
        command.addAll(options);
        command.addAll(List.of("-o", "Dir::State::status=/dev/null"));
        command.addAll(List.of("-o", "Debug::NoLocking=true"));
        command.addAll(List.of(names));
        return command;
    }
}
