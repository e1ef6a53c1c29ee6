package dev.peerlane.binding;

import java.io.IOException;
import java.nio.file.Path;

/** The two operations by which binding changes a machine. */
public interface SystemWriter {
    /**
     * Writes to a file of sysfs, in one write.
     *
     * @param file an existing file of sysfs
     * @param text the text without its newline
     * @throws IOException with the kernel's reason
     */
    void write(Path file, String text) throws IOException;

    /**
     * Loads a kernel module.
     *
     * @param module the module's name
     * @throws IOException with modprobe's reason
     */
    void load(String module) throws IOException;
}
