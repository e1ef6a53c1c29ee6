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

/** The command {@code capture}: saves in a file what a diagnosis of this machine needs. */
@Command(
        name = "capture",
        description = {
            "Saves in one file what a diagnosis of this machine needs, so that it can be done"
                    + " elsewhere: topology, doctor and acs read it with --from.",
            ""
        },
        footer = {
            "",
            "The file holds configuration space, sysfs attributes of PCI functions, and the"
                    + " relevant lines about the processor and the kernel's parameters and"
                    + " configuration. It has no serial numbers unless you ask for them. Run as"
                    + " root: other users see only 64 bytes of each configuration space.",
            "",
            "Example:",
            "    sudo peerlane capture server.zip",
            ""
        })
public final class CaptureCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(index = "0", paramLabel = "FILE", description = "A new ZIP file.")
    private @Nullable Path file;

    @Option(names = "--serials", description = "Include serial numbers.")
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
