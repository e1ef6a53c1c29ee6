package dev.peerlane.cli.capture;

import dev.peerlane.cli.shared.Context;
import dev.peerlane.diagnose.Capture;
import dev.peerlane.diagnose.CapturedFiles;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.sysfs.SystemFiles;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code capture}: a machine in a file. */
@Command(
        name = "capture",
        description = {
            "Bundles what the verdicts on this machine need in one file, so that somebody else can"
                    + " diagnose it: topology, doctor and acs take it after --from.",
            ""
        },
        footer = {
            "",
            "It holds configuration space, sysfs attributes of PCI functions, and the lines of the"
                    + " processor, the kernel's parameters and configuration that matter. No serial"
                    + " numbers, unless you ask for them. Run as root: others see 64 bytes of each"
                    + " configuration space.",
            "",
            "Example:",
            "    sudo peerlane capture server.zip",
            ""
        })
public final class CaptureCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(index = "0", paramLabel = "FILE", description = "A new ZIP file.")
    private @Nullable Path file;

    @Option(names = "--serials", description = "Keep serial numbers.")
    private boolean serials;

    @Option(
            names = "--from",
            paramLabel = "DIR",
            description = "Capture a directory laid out like / instead of this machine.")
    private @Nullable Path from;

    public CaptureCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Path root = from;
        Path to = Objects.requireNonNull(file);
        SystemFiles system = root == null ? context.system().files() : Capture.open(root);
        CapturedFiles captured = Capture.take(system, serials);
        Capture.write(captured, to);
        Snapshot snapshot = Snapshot.of(captured);
        CaptureView.tell(context.terminal(), to, snapshot);
        return snapshot.machine().functions().isEmpty() ? 2 : 0;
    }
}
