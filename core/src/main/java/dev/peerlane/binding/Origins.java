package dev.peerlane.binding;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.SysfsFunction;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Records the driver and the driver_override that functions had before they were bound, so that
 * another process can restore them. Each function has a file {@code bound/ADDRESS} in a directory
 * that does not survive a boot, as bindings don't. Its lines are {@code id}, {@code driver} and
 * {@code override}; a missing line means that there was none.
 */
final class Origins {
    private static final Pattern DRIVER = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}");
    private static final Pattern ADDRESS =
            Pattern.compile("[0-9a-f]{4,}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]");
    private static final int MAX_BYTES = 4096;

    /**
     * The driver and the override that a function had.
     *
     * @param driver its driver, or null for none
     * @param override its driver_override, or null for none
     */
    record Origin(@Nullable String driver, @Nullable String override) {}

    private final Path directory;

    Origins(Path state) {
        directory = state.resolve("bound");
    }

    /**
     * Returns the addresses of all recorded functions.
     *
     * @throws PeerlaneException if the directory can't be read
     */
    List<Bdf> all() {
        if (!Files.notExists(directory) && !Files.isReadable(directory)) {
            throw unusable(directory, "it can't be listed", new AccessDeniedException(""));
        }
        List<Bdf> all = new ArrayList<>();
        for (Path file : KernelFiles.entries(directory)) {
            String name = String.valueOf(file.getFileName());
            if (ADDRESS.matcher(name).matches()) {
                all.add(Bdf.parse(name));
            }
        }
        return all;
    }

    /**
     * Returns what a function had, or null if nothing is recorded for it, or if the record is of
     * another device that was in its slot.
     *
     * @throws PeerlaneException if the file can't be read or is malformed
     */
    @Nullable Origin read(SysfsFunction function) {
        Path file = file(function.bdf());
        if (Files.notExists(file)) {
            return null;
        }
        Map<String, String> words = new LinkedHashMap<>();
        try (var in = Files.newInputStream(file)) {
            String text = new String(in.readNBytes(MAX_BYTES), StandardCharsets.US_ASCII);
            for (String line : text.split("\n", -1)) {
                int space = line.indexOf(' ');
                if (space > 0) {
                    words.put(line.substring(0, space), line.substring(space + 1));
                }
            }
        } catch (IOException e) {
            throw unusable(file, e.getMessage(), e);
        }
        if (!id(function).equals(words.get("id"))) {
            return null;
        }
        Origin origin = new Origin(words.get("driver"), words.get("override"));
        for (String name : new String[] {origin.driver, origin.override}) {
            if (name != null && !DRIVER.matcher(name).matches()) {
                throw unusable(file, "it names the driver '" + name + "'", null);
            }
        }
        return origin;
    }

    /**
     * Records what a function has.
     *
     * @throws PeerlaneException if the file can't be written
     */
    void write(SysfsFunction function, Origin origin) {
        Path file = file(function.bdf());
        StringBuilder text = new StringBuilder("id " + id(function) + "\n");
        if (origin.driver != null) {
            text.append("driver ").append(origin.driver).append('\n');
        }
        if (origin.override != null) {
            text.append("override ").append(origin.override).append('\n');
        }
        try {
            Files.createDirectories(directory);
            Path fresh = directory.resolve("." + file.getFileName());
            Files.writeString(fresh, text, StandardCharsets.US_ASCII);
            // moved into place, since the process may be killed at any time
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw unusable(file, e.getMessage(), e);
        }
    }

    /** Deletes a function's record. */
    void remove(Bdf bdf) {
        Path file = file(bdf);
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw unusable(file, e.getMessage(), e);
        }
    }

    private Path file(Bdf bdf) {
        return directory.resolve(bdf.toString());
    }

    private static String id(SysfsFunction function) {
        return "%04x:%04x"
                .formatted(function.function().vendorId(), function.function().deviceId());
    }

    private static PeerlaneException unusable(
            Path file, @Nullable String why, @Nullable Throwable cause) {
        boolean permission = cause instanceof AccessDeniedException;
        return new PeerlaneException(
                PeerlaneException.Category.MACHINE,
                "origin-not-kept",
                "%s, which records the driver to return to, can't be used: %s".formatted(file, why),
                permission ? "Run as root" : "Repair or delete it",
                cause);
    }
}
