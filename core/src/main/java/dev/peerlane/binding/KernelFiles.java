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
     * Returns its entries, sorted; those seen so far once it has gone.
     *
     * @throws dev.peerlane.PeerlaneException if there are more than {@code max}
     */
    static List<Path> entries(Path folder, int max) {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
            return entries(folder, all, max);
        } catch (IOException e) {
            return List.of(); // it has gone, or is somebody else's
        }
    }

    /** Returns the entries of a folder that has as many as a machine has devices at most. */
    static List<Path> entries(Path folder) {
        return entries(folder, MAX_DEVICES);
    }

    /** Returns the first lines of a file; none if it can't be read. */
    static List<String> lines(Path file) {
        try (var all = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            return all.limit(MAX_LINES).toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of();
        }
    }

    /** Returns a text without blanks around it; null if it can't be read or is empty. */
    static @Nullable String text(Path file) {
        try {
            String text = Files.readString(file, StandardCharsets.ISO_8859_1).strip();
            return text.isEmpty() ? null : text;
        } catch (IOException e) {
            return null;
        }
    }

    /** Returns the entries of a folder that is open, in the same way. */
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
            // an error of an iterator is no IOException
        }
        found.sort(null);
        return found;
    }
}
