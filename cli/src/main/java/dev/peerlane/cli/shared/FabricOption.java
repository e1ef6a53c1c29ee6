package dev.peerlane.cli.shared;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that opens devices. */
public final class FabricOption {
    @Option(
            names = "--fabric",
            paramLabel = "FILE",
            description = {
                "The YAML file of kind emulator or qemu that describes the fabric; - for"
                        + " standard input.",
                "Without it, emu: is a built-in fabric with ssd0 and ssd1 behind a switch."
            })
    private @Nullable Path file;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    /** Returns the fabric file, or null for this machine and the built-in fabric. */
    public @Nullable Path file() {
        return file;
    }

    /** Returns whether JSON is requested. */
    public boolean json() {
        return json;
    }
}
