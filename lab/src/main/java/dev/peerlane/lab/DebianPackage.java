package dev.peerlane.lab;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A Debian package that is fetched and unpacked, never installed. Which one is newest is asked of
 * the package index of this machine.
 *
 * @param name of the package
 * @param version of the package
 */
record DebianPackage(String name, String version) {
    private static final Pattern DEPENDS = Pattern.compile("(?m)^\\s*\\|?Depends: (linux-\\S+)");
    private static final Pattern VERSION = Pattern.compile("(?m)^Version: (\\S+)");

    /** Finds the newest version of a package. */
    static DebianPackage newest(Path anywhere, String name) {
        String text = askIndex(anywhere, List.of("apt-cache", "show", "--no-all-versions", name));
        Matcher matcher = VERSION.matcher(text);
        if (!matcher.find()) {
            throw unknown(name);
        }
        return new DebianPackage(name, matcher.group(1));
    }

    /** Finds the newest kernel for cloud machines: what the package without a version needs. */
    static DebianPackage newestKernel(Path anywhere) {
        String meta = "linux-image-cloud-amd64";
        Matcher matcher =
                DEPENDS.matcher(askIndex(anywhere, List.of("apt-cache", "depends", meta)));
        if (!matcher.find()) {
            throw unknown(meta);
        }
        return newest(anywhere, matcher.group(1));
    }

    private static String askIndex(Path folder, List<String> question) {
        try {
            return Tool.run(folder, question);
        } catch (PeerlaneException e) {
            refreshIndex(folder);
            return Tool.run(folder, question);
        }
    }

    /** Fetches the index anew: a fresh machine has none, and an old one names what is gone. */
    private static void refreshIndex(Path folder) {
        boolean root = "root".equals(System.getProperty("user.name"));
        List<String> update = List.of("apt-get", "update", "-qq");
        if (root) {
            Tool.run(folder, update);
        } else {
            Tool.run(folder, "sudo", "-n", "apt-get", "update", "-qq");
        }
    }

    private static PeerlaneException unknown(String name) {
        return PeerlaneException.machine(
                "no-such-package",
                "the package index of this machine does not know " + name,
                "The guest is built from Debian's packages, on Debian; run apt-get update");
    }

    /** Returns a name for a folder that holds what was made of this version. */
    String folderName() {
        return (name + "_" + version).replaceAll("[^A-Za-z0-9.+_-]", "-");
    }

    /** Fetches it into a folder, which holds nothing else of its name, and unpacks it there. */
    Path unpack(Path folder) {
        try {
            Path packages = Files.createDirectories(folder.resolve(folderName() + "-package"));
            String wanted = name + "=" + version;
            try {
                Tool.run(packages, "apt-get", "download", "-qq", wanted);
            } catch (PeerlaneException e) {
                refreshIndex(folder);
                Tool.run(packages, "apt-get", "download", "-qq", wanted);
            }
            Path root = Files.createDirectories(folder.resolve(folderName()));
            try (Stream<Path> files = Files.list(packages)) {
                for (Path file : files.toList()) {
                    Tool.run(folder, "dpkg-deb", "-x", file.toString(), root.toString());
                }
            }
            return root;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
