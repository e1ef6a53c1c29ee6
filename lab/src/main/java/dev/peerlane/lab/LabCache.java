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
 * What the lab made of downloads, kept between runs in {@code ~/.cache/peerlane-lab}, or in the
 * folder that the system property {@code peerlane.lab.cache} names. Each thing is a folder whose
 * name tells its kind and what went into it. Deleting all of it costs a minute.
 */
final class LabCache {
    private static final int KEPT = 3;

    private LabCache() {}

    /** Creates an entry of the cache. */
    @FunctionalInterface
    interface Maker {
        /** Fills an empty folder. */
        void make(Path into) throws IOException;
    }

    /** Returns the cache's own folder. */
    static Path folder() throws IOException {
        String chosen = System.getProperty("peerlane.lab.cache");
        return Files.createDirectories(
                chosen != null
                        ? Path.of(chosen)
                        : Path.of(System.getProperty("user.home"), ".cache", "peerlane-lab"));
    }

    /**
     * Returns a thing, making it if it is not there; in one step, so that two builds can't mix. The
     * three newest of its kind are kept.
     *
     * @param kind what all things begin with that replace each other
     * @param rest what tells it from them
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

    /** Returns the entries of a kind, the newest first. */
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
            // another build was faster; its result is as good
        }
    }

    private static FileTime time(Path path) {
        try {
            return Files.getLastModifiedTime(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns a short name for all that went into a thing. */
    static String digest(String text) {
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
