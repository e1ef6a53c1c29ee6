package dev.peerlane.cli.copy;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of commands that write: who says that they may. */
final class WriteOptions {
    @Option(
            names = {"-y", "--yes"},
            description = "Overwrite the target without a question.")
    boolean yes;

    @Option(
            names = "--expect-serial",
            paramLabel = "SERIAL",
            description = "Write only if the target has this serial number.")
    @Nullable String expectSerial;

    @Option(
            names = "--restore-drivers",
            description =
                    "When it is over, however it ends, take the devices from vfio-pci again, as"
                            + " peerlane unbind does.")
    boolean restoreDrivers;
}
