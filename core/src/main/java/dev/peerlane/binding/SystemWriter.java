package dev.peerlane.binding;

import java.io.IOException;
import java.nio.file.Path;

/** The two ways in which binding changes a machine. */
public interface SystemWriter {
    /**
     * Writes to a file of sysfs, in one write.
     *
     * @throws IOException with the kernel's reason
     */
    void write(Path file, String text) throws IOException;

    /**
     * Loads a module of the kernel.
     *
     * @throws IOException with the reason
     */
    void load(String module) throws IOException;
}
