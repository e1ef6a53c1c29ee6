package dev.peerlane.linux;

import java.nio.file.Path;

/**
 * The folders in which a machine is described: sysfs, procfs and Peerlane's own state.
 *
 * @param sys mount point of sysfs
 * @param proc mount point of procfs
 * @param state folder for what other Peerlane processes need to know until the next boot
 */
public record SystemRoot(Path sys, Path proc, Path state) {
    /** This machine. */
    public static final SystemRoot LOCAL =
            new SystemRoot(Path.of("/sys"), Path.of("/proc"), Path.of("/run/peerlane"));

    /** Returns a machine described by {@code sys}, {@code proc} and {@code state} of a folder. */
    public static SystemRoot in(Path folder) {
        return new SystemRoot(
                folder.resolve("sys"), folder.resolve("proc"), folder.resolve("state"));
    }
}
