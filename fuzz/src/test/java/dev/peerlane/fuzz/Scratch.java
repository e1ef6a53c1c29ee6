package dev.peerlane.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Directories that runs write to, removed when the process ends. */
public final class Scratch {
    private Scratch() {}

    /** Returns a new directory that stays until the process ends. */
    public static Path folder(String name) {
        Path folder = shortLived(name);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(folder)));
        return folder;
    }

    /** Returns a new directory that the caller removes. */
    public static Path shortLived(String name) {
        try {
            return Files.createTempDirectory("fuzz-" + name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Removes a directory and its contents, without following links. */
    public static void remove(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
