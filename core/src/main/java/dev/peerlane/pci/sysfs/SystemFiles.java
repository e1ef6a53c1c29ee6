package dev.peerlane.pci.sysfs;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The files in which a Linux system describes its devices, by path without the leading slash:
 * {@code sys/bus/pci/devices}. They are the real files, a copy in a directory, or a capture.
 *
 * <p>A copy or a capture is untrusted. What can't be read is absent, every answer is bounded, and
 * only regular files are opened, because a pipe might never end.
 */
public abstract class SystemFiles {
    /** Longer than any text file that is read. */
    public static final int TEXT_BYTES = 64 << 10;

    /** More than any directory of a real machine has. */
    private static final int MAX_ENTRIES = 65_536;

    /** Creates a tree of files; called by subclasses. */
    protected SystemFiles() {}

    /**
     * Returns bytes of a file. Returns fewer if the file ends before, and null if it can't be read.
     *
     * @param path path without the leading slash
     * @param offset offset of the first byte
     * @param count maximum number of bytes; nothing beyond them is read
     */
    public abstract byte @Nullable [] bytes(String path, int offset, int count);

    /** Returns the first bytes of a file, or null if it can't be read. */
    public final byte @Nullable [] bytes(String path, int limit) {
        return bytes(path, 0, limit);
    }

    /**
     * Returns the names in a directory, sorted. Empty if the directory can't be read.
     *
     * @throws PeerlaneException if there are more entries than a machine has
     */
    public abstract List<String> list(String path);

    /** Returns the target of a symbolic link as it is stored, or null if the path is not a link. */
    public abstract @Nullable String link(String path);

    /** Returns where the files come from, as text for a person. */
    public abstract String origin();

    /** Returns whether a file can be read. */
    public boolean exists(String path) {
        return bytes(path, 1) != null;
    }

    /**
     * Returns the text of a file without surrounding blanks, or null if it can't be read or is
     * empty.
     */
    public final @Nullable String text(String path) {
        byte[] read = bytes(path, TEXT_BYTES);
        if (read == null) {
            return null;
        }
        String text = new String(read, StandardCharsets.UTF_8).strip();
        return text.isEmpty() ? null : text;
    }

    /** Returns the last name in the target of a symbolic link. */
    public final @Nullable String linkName(String path) {
        String target = link(path);
        return target == null ? null : target.substring(target.lastIndexOf('/') + 1);
    }

    /**
     * Returns the files below a directory.
     *
     * @param root the directory that stands for {@code /}; nothing outside it is read
     */
    public static SystemFiles of(Path root) {
        return of(root, MAX_ENTRIES);
    }

    /**
     * Returns the files below a directory. A directory with more than {@code maxEntries} entries is
     * an error.
     */
    static SystemFiles of(Path root, int maxEntries) {
        return new Directory(root, root.resolve("sys"), root.resolve("proc"), maxEntries);
    }

    /**
     * Returns the files of a system whose {@code /sys} and {@code /proc} are in these directories.
     */
    static SystemFiles of(Path sys, Path proc) {
        return new Directory(sys, sys, proc, MAX_ENTRIES);
    }

    /**
     * Returns the error for a directory with too many entries. It is not truncated, because the
     * rest could be what matters.
     */
    public static PeerlaneException tooLong(String directory, int maxEntries) {
        return PeerlaneException.machine(
                "directory-too-long",
                "%s has more than %d entries".formatted(directory, maxEntries),
                "Find out what fills the directory; no machine has that many devices");
    }

    private static final class Directory extends SystemFiles {
        private final Path root;
        private final Path sys;
        private final Path proc;
        private final boolean whole;
        private final int maxEntries;

        Directory(Path root, Path sys, Path proc, int maxEntries) {
            this.root = root.toAbsolutePath().normalize();
            this.sys = sys.toAbsolutePath().normalize();
            this.proc = proc.toAbsolutePath().normalize();
            whole = this.sys.equals(Path.of("/sys"));
            this.maxEntries = maxEntries;
        }

        private Path place(String path) {
            if (path.startsWith("sys/")) {
                return sys.resolve(path.substring(4)).normalize();
            }
            return path.startsWith("proc/")
                    ? proc.resolve(path.substring(5)).normalize()
                    : root.resolve(path).normalize();
        }

        /** Returns the file behind a path, or null if it is outside the root. */
        private @Nullable Path inside(String path) throws IOException {
            Path file = place(path);
            if (whole) {
                return file;
            }
            Path real = file.toRealPath();
            boolean within =
                    real.startsWith(root.toRealPath())
                            || (path.startsWith("proc/") && real.startsWith(proc.toRealPath()));
            return within ? real : null;
        }

        @Override
        public byte @Nullable [] bytes(String path, int offset, int count) {
            try {
                Path file = inside(path);
                if (file == null || !Files.isRegularFile(file)) {
                    return null;
                }
                if (offset == 0) {
                    try (InputStream in = Files.newInputStream(file)) {
                        return in.readNBytes(count);
                    }
                }
                try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
                    ByteBuffer bytes = ByteBuffer.allocate(count);
                    int read = 0;
                    while (read >= 0 && bytes.hasRemaining()) {
                        read = in.read(bytes, offset + (long) bytes.position());
                    }
                    return Arrays.copyOf(bytes.array(), bytes.position());
                }
            } catch (IOException | RuntimeException e) {
                return null;
            }
        }

        @Override
        public List<String> list(String path) {
            List<String> names = new ArrayList<>();
            try {
                Path directory = inside(path);
                if (directory == null || !Files.isDirectory(directory)) {
                    return List.of();
                }
                try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
                    for (Path entry : entries) {
                        names.add(String.valueOf(entry.getFileName()));
                        if (names.size() > maxEntries) {
                            break;
                        }
                    }
                }
            } catch (IOException | RuntimeException e) {
                return List.of();
            }
            if (names.size() > maxEntries) {
                throw tooLong(place(path).toString(), maxEntries);
            }
            Collections.sort(names);
            return names;
        }

        @Override
        public @Nullable String link(String path) {
            try {
                Path file = place(path);
                return Files.isSymbolicLink(file) ? Files.readSymbolicLink(file).toString() : null;
            } catch (IOException | RuntimeException e) {
                return null;
            }
        }

        @Override
        public String origin() {
            return whole ? "this machine" : root.toString();
        }
    }
}
