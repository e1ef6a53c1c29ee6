package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Runs a program on the machine that builds the guest, for a bounded time. */
final class Tool {
    private static final long LIMIT_SECONDS = 300;
    private static final int SHOWN_CHARACTERS = 2000;

    private Tool() {}

    /**
     * Runs a program and returns its output, including errors.
     *
     * @throws PeerlaneException if it is missing, takes too long or fails
     */
    static String run(Path folder, String... command) {
        return run(folder, List.of(command));
    }

    /** Runs a program like {@link #run(Path, String...)}. */
    static String run(Path folder, List<String> command) {
        String name = String.join(" ", command);
        Path output = null;
        try {
            output = Files.createTempFile("peerlane-tool", ".txt");
            Process process =
                    new ProcessBuilder(command)
                            .directory(folder.toFile())
                            .redirectInput(Path.of("/dev/null").toFile())
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile())
                            .start();
            boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly();
            }
            String text = Files.readString(output, UTF_8);
            if (!ended || process.exitValue() != 0) {
                String what = ended ? "failed with " + process.exitValue() : "took too long";
                throw PeerlaneException.machine(
                        "tool-failed",
                        "'%s' %s: %s".formatted(name, what, shorten(text)),
                        "Run it by hand in " + folder);
            }
            return text;
        } catch (IOException e) {
            throw new PeerlaneException(
                    Category.MACHINE,
                    "tool-missing",
                    "'%s' can't be run: %s".formatted(name, e.getMessage()),
                    "Install it; the guest is built from Debian's packages, on Debian",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PeerlaneException(
                    Category.INTERRUPTED, "interrupted", name + " was interrupted", "Again", e);
        } finally {
            discard(output);
        }
    }

    private static void discard(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // a few bytes in the temporary directory
        }
    }

    private static String shorten(String text) {
        String stripped = text.strip();
        return stripped.substring(Math.max(0, stripped.length() - SHOWN_CHARACTERS));
    }
}
