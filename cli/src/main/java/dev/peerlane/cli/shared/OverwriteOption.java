package dev.peerlane.cli.shared;

import picocli.CommandLine.Option;

/**
 * The option {@code --overwrite}, which allows a command to overwrite a target that carries data.
 */
public final class OverwriteOption {
    @Option(
            names = "--overwrite",
            description =
                    "Write even if the device carries a partition table, a file system or the"
                            + " like, which is otherwise refused.")
    private boolean allowed;

    /** Returns whether the option is given. */
    public boolean allowed() {
        return allowed;
    }
}
