package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Writes a cpio archive in "newc" format, from which Linux fills its initial root file system.
 * Archives can be concatenated. Everything belongs to root. Times are 0, so equal contents give
 * equal archives.
 */
final class Cpio implements AutoCloseable {
    private static final int FOLDER = 0040755;
    private static final int PROGRAM = 0100755;
    private static final int PLAIN = 0100644;
    private static final int LINK = 0120777;
    private static final String TRAILER = "TRAILER!!!";

    private final OutputStream out;
    private final Set<String> folders = new HashSet<>();
    private long written;
    private int inode = 1;

    private Cpio(OutputStream out) {
        this.out = out;
    }

    /** Starts an archive. Closing it writes the trailer. */
    static Cpio create(Path file) throws IOException {
        return new Cpio(new BufferedOutputStream(Files.newOutputStream(file), 1 << 16));
    }

    /** Adds a directory and its parents, unless they exist. */
    void folder(String path) throws IOException {
        int slash = path.lastIndexOf('/');
        if (slash > 0) {
            folder(path.substring(0, slash));
        }
        if (!path.isEmpty() && folders.add(path)) {
            entry(path, FOLDER, 0);
        }
    }

    /** Adds a file, executable or not, with its parent directories. */
    void file(String path, byte[] content, boolean executable) throws IOException {
        parents(path);
        entry(path, executable ? PROGRAM : PLAIN, content.length);
        write(content);
        pad();
    }

    /** Adds a copy of a file, following links. */
    void file(String path, Path source) throws IOException {
        parents(path);
        long bytes = Files.size(source);
        if (bytes > 0xffff_ffffL) {
            throw new IOException(source + " is too long for a cpio archive");
        }
        entry(path, Files.isExecutable(source) ? PROGRAM : PLAIN, bytes);
        written += Files.copy(source, out);
        pad();
    }

    /** Adds a symbolic link. */
    void link(String path, String target) throws IOException {
        parents(path);
        byte[] content = target.getBytes(UTF_8);
        entry(path, LINK, content.length);
        write(content);
        pad();
    }

    /** Adds the contents of a directory, sorted by name. */
    void tree(String path, Path source) throws IOException {
        try (Stream<Path> all = Files.walk(source)) {
            for (Path each : all.sorted().toList()) {
                String name = path + "/" + source.relativize(each);
                if (Files.isSymbolicLink(each)) {
                    link(name, Files.readSymbolicLink(each).toString());
                } else if (Files.isDirectory(each)) {
                    folder(each.equals(source) ? path : name);
                } else {
                    file(name, each);
                }
            }
        }
    }

    private void parents(String path) throws IOException {
        int slash = path.lastIndexOf('/');
        if (slash > 0) {
            folder(path.substring(0, slash));
        }
    }

    private void entry(String path, int mode, long bytes) throws IOException {
        byte[] name = path.getBytes(UTF_8);
        // magic, inode, mode, owner, group, links, time, size, device, special device, name, sum
        String header =
                "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x"
                        .formatted(
                                inode++, mode, 0, 0, 1, 0, bytes, 0, 0, 0, 0, name.length + 1, 0);
        write(header.getBytes(US_ASCII));
        write(name);
        write(new byte[1]);
        pad();
    }

    private void write(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
    }

    private void pad() throws IOException {
        write(new byte[(int) (-written & 3)]);
    }

    @Override
    public void close() throws IOException {
        try (out) {
            entry(TRAILER, 0, 0);
        }
    }
}
