package dev.peerlane.cli.capture;

import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.diagnose.Snapshot;
import java.nio.file.Path;

/** Prints what a capture holds. */
final class CaptureView {
    private CaptureView() {}

    static void tell(Terminal terminal, Path to, Snapshot snapshot) {
        int functions = snapshot.machine().functions().size();
        long cut =
                snapshot.machine().functions().stream()
                        .filter(f -> f.details().configBytes() > 0)
                        .filter(f -> f.details().configBytes() <= 64)
                        .count();
        long asleep =
                snapshot.machine().functions().stream()
                        .filter(f -> f.details().asleep() != null)
                        .count();
        terminal.say(
                "%s holds %d PCI functions, %d of them NVMe controllers"
                        .formatted(to, functions, snapshot.machine().nvmeFunctions().size()));
        if (functions == 0) {
            terminal.say(
                    "/sys/bus/pci/devices is empty or missing: mount sysfs, or run outside the"
                            + " container");
        }
        if (asleep > 0) {
            terminal.say(
                    "%d functions are suspended and were not read: reading would wake them"
                            .formatted(asleep));
        }
        if (cut > 0) {
            terminal.say(
                    "The configuration space of %d is truncated: run as root to read all of it"
                            .formatted(cut));
        }
    }
}
