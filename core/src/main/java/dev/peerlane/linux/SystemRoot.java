package dev.peerlane.linux;

import java.nio.file.Path;

/**
 * Where a machine shows itself in files.
 *
 * @param sys where sysfs is mounted
 * @param proc where procfs is mounted
 * @param state where is written down what another process must know, until the next boot
 */
public record SystemRoot(Path sys, Path proc, Path state) {
    /** This machine. */
    public static final SystemRoot LOCAL =
            new SystemRoot(Path.of("/sys"), Path.of("/proc"), Path.of("/run/peerlane"));

    /** Returns a machine that is in {@code sys}, {@code proc} and {@code state} of a folder. */
    public static SystemRoot in(Path folder) {
        return new SystemRoot(
                folder.resolve("sys"), folder.resolve("proc"), folder.resolve("state"));
    }
}
