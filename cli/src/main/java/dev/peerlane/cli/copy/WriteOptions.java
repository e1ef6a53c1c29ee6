package dev.peerlane.cli.copy;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options by which a user permits a command to write. */
final class WriteOptions {
    @Option(
            names = {"-y", "--yes"},
            description = "Overwrite the target without asking.")
    boolean yes;

    @Option(
            names = "--expect-serial",
            paramLabel = "SERIAL",
            description = "Write only if the target has this serial number.")
    @Nullable String expectSerial;

    @Option(
            names = "--restore-drivers",
            description =
                    "Afterwards, whatever the outcome, take the devices from vfio-pci, as"
                            + " peerlane unbind does.")
    boolean restoreDrivers;
}
