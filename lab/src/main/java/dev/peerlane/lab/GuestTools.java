package dev.peerlane.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Programs of Debian sid for a guest without Java: fio, the tools that create and check ext4, and
 * their libraries.
 *
 * @param archive the archive for the guest's root file system
 * @param root the same programs for this machine
 */
record GuestTools(Path archive, DebianRoot root) {
    private static final List<String> PROGRAMS =
            List.of("usr/bin/fio", "usr/sbin/mke2fs", "usr/sbin/e2fsck");

    /** The file that tells mke2fs what "ext4" means. */
    private static final String MKE2FS_CONF = "etc/mke2fs.conf";

    private static final Pattern LIBRARY = Pattern.compile("(?m)^\\s*(\\S+) => (\\S+) \\(0x");

    /** Returns the tools, downloading what is not in the cache. */
    static GuestTools ready() {
        DebianRoot root = PackageIndex.sid().rootWith("fio", "e2fsprogs");
        try {
            String stamp = root.folder().getFileName() + "|" + PROGRAMS;
            Path made = LabCache.made("tools-", LabCache.digest(stamp), into -> make(root, into));
            return new GuestTools(made.resolve("tools.cpio"), root);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void make(DebianRoot root, Path into) throws IOException {
        Map<String, Path> libraries = new TreeMap<>();
        for (String program : PROGRAMS) {
            List<String> command = new ArrayList<>(root.command(program));
            command.add(command.size() - 1, "--list");
            LIBRARY.matcher(Tool.run(into, command))
                    .results()
                    .forEach(found -> libraries.put(found.group(1), Path.of(found.group(2))));
        }
        try (Cpio cpio = Cpio.create(into.resolve("tools.cpio"))) {
            for (String program : PROGRAMS) {
                Path source = root.folder().resolve(program);
                cpio.file("tools/" + source.getFileName(), source);
            }
            Path conf = root.folder().resolve(MKE2FS_CONF);
            if (Files.exists(conf)) {
                cpio.file(MKE2FS_CONF, conf);
            }
            for (Map.Entry<String, Path> library : libraries.entrySet()) {
                String name = library.getKey(); // the loader is named by its absolute path
                String path =
                        name.startsWith("/") ? name.substring(1) : "lib/x86_64-linux-gnu/" + name;
                cpio.file(path, library.getValue());
            }
        }
    }
}
