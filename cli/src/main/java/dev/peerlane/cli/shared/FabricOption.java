package dev.peerlane.cli.shared;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that every command with devices has. */
public final class FabricOption {
    @Option(
            names = "--fabric",
            paramLabel = "FILE",
            description = {
                "The fabric that the devices are in, a YAML file of kind emulator or qemu; - for"
                        + " standard input.",
                "Without it, emu: devices are in a built-in fabric: ssd0 and ssd1 behind a switch."
            })
    private @Nullable Path file;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    /** Returns the fabric file, or null for this machine and what is built in. */
    public @Nullable Path file() {
        return file;
    }

    /** Returns whether a document is asked for. */
    public boolean json() {
        return json;
    }
}
