package dev.peerlane.cli.shared;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which machine a command looks at. */
public final class MachineOptions {
    @Option(
            names = "--from",
            paramLabel = "FILE|DIR",
            description = {
                "Look at a capture of another machine, or at a directory laid out like /, with sys"
                        + " and proc in it.",
                "Without it and without --fabric: at this machine."
            })
    private @Nullable Path from;

    @Option(
            names = "--fabric",
            paramLabel = "FILE",
            description =
                    "Look at a fabric: a YAML file of kind emulator or qemu; - for standard input.")
    private @Nullable Path fabric;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    /** Returns which machine is looked at. */
    public MachineSource source() {
        return new MachineSource(from, fabric);
    }

    /** Returns whether a document is asked for. */
    public boolean json() {
        return json;
    }
}
