package dev.peerlane.cli.shared;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that select the machine to examine. */
public final class MachineOptions {
    @Option(
            names = "--from",
            paramLabel = "FILE|DIR",
            description = {
                "Examine a capture of another machine, or a directory laid out like / that"
                        + " contains sys and proc.",
                "Default: this machine, unless --fabric is given."
            })
    private @Nullable Path from;

    @Option(
            names = "--fabric",
            paramLabel = "FILE",
            description =
                    "Examine a fabric: a YAML file of kind emulator or qemu; - for standard input.")
    private @Nullable Path fabric;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    /** Returns the machine to examine. */
    public MachineSource source() {
        return new MachineSource(from, fabric);
    }

    /** Returns whether JSON is requested. */
    public boolean json() {
        return json;
    }
}
