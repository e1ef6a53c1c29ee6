package dev.peerlane.cli.shared;

import picocli.CommandLine.Option;

/** The option that allows to write over what a target carries. */
public final class OverwriteOption {
    @Option(
            names = "--overwrite",
            description =
                    "Write even where the device carries a partition table, a file system or the"
                            + " like; without it that is refused.")
    private boolean allowed;

    /** Returns whether it was given. */
    public boolean allowed() {
        return allowed;
    }
}
