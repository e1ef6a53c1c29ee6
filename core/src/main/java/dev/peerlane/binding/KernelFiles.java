package dev.peerlane.binding;

import dev.peerlane.pci.sysfs.SystemFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads files and lists folders of {@code /sys} and {@code /proc}, which can vanish at any time:
 * before they are opened, and while they are read.
 */
final class KernelFiles {
    private static final int MAX_DEVICES = 1 << 16;
    private static final int MAX_LINES = 100_000;

    private KernelFiles() {}

    /**
     * Returns the entries of a folder, sorted. If the folder vanishes meanwhile, these are the
     * entries read so far.
     *
     * @throws dev.peerlane.PeerlaneException if there are more than {@code max}
     */
    static List<Path> entries(Path folder, int max) {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
            return entries(folder, all, max);
        } catch (IOException e) {
            return List.of(); // the folder has vanished, or may not be read
        }
    }

    /** Returns the entries of a folder that has at most one entry for each device of a machine. */
    static List<Path> entries(Path folder) {
        return entries(folder, MAX_DEVICES);
    }

    /** Returns the first lines of a file, or no lines if it can't be read. */
    static List<String> lines(Path file) {
        try (var all = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            return all.limit(MAX_LINES).toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of();
        }
    }

    /** Returns the stripped text of a file, or null if it can't be read or is empty. */
    static @Nullable String text(Path file) {
        try {
            String text = Files.readString(file, StandardCharsets.ISO_8859_1).strip();
            return text.isEmpty() ? null : text;
        } catch (IOException e) {
            return null;
        }
    }

    /** Returns the entries of an open folder, as {@link #entries(Path, int)} does. */
    static List<Path> entries(Path folder, DirectoryStream<Path> all, int max) {
        List<Path> found = new ArrayList<>();
        try {
            for (Path entry : all) {
                if (found.size() == max) {
                    throw SystemFiles.tooLong(folder.toString(), max);
                }
                found.add(entry);
            }
        } catch (DirectoryIteratorException e) {
            // an iterator's error is unchecked
        }
        found.sort(null);
        return found;
    }
}
