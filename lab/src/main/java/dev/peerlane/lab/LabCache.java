package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A cache of what the lab builds from downloads, in {@code ~/.cache/peerlane-lab} or in the
 * directory named by the system property {@code peerlane.lab.cache}. Each entry is a directory
 * whose name states its kind and its inputs. Rebuilding all of it takes a minute.
 */
final class LabCache {
    private static final int KEPT = 3;

    private LabCache() {}

    /** Builds an entry. */
    @FunctionalInterface
    interface Maker {
        /** Fills an empty directory. */
        void make(Path into) throws IOException;
    }

    /** Returns the cache directory. */
    static Path folder() throws IOException {
        String chosen = System.getProperty("peerlane.lab.cache");
        return Files.createDirectories(
                chosen != null
                        ? Path.of(chosen)
                        : Path.of(System.getProperty("user.home"), ".cache", "peerlane-lab"));
    }

    /**
     * Returns an entry, building it if it is missing. It appears atomically, so concurrent builds
     * can't mix. The three newest entries of a kind are kept.
     *
     * @param kind the name prefix of entries that replace each other
     * @param rest the rest of the name, which distinguishes them
     */
    static Path made(String kind, String rest, Maker maker) throws IOException {
        Path folder = folder().resolve(kind + rest);
        if (Files.isDirectory(folder)) {
            return folder;
        }
        System.err.println("Building for the lab: " + kind + rest);
        Path making = Files.createTempDirectory(folder(), "making-");
        try {
            maker.make(making);
            move(making, folder);
        } finally {
            delete(making);
        }
        List<Path> all = kept(kind);
        for (Path old : all.subList(Math.min(KEPT, all.size()), all.size())) {
            delete(old);
        }
        return folder;
    }

    /** Returns the entries of a kind, newest first. */
    static List<Path> kept(String kind) throws IOException {
        try (Stream<Path> all = Files.list(folder())) {
            return all.filter(each -> String.valueOf(each.getFileName()).startsWith(kind))
                    .sorted(Comparator.comparing(LabCache::time).reversed())
                    .collect(Collectors.toList());
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!Files.isDirectory(to)) {
                throw e;
            }
            // another build was faster, and its result is equivalent
        }
    }

    private static FileTime time(Path path) {
        try {
            return Files.getLastModifiedTime(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns a short digest of an entry's inputs. */
    static String digest(String text) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
            return HexFormat.of().formatHex(sum, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Deletes a directory and its contents, if it exists. */
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
