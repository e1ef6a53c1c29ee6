package dev.peerlane.cli.topology;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.MachineOptions;
import dev.peerlane.diagnose.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The command {@code topology}: shows the PCIe tree and which devices can access each other's
 * memory.
 */
@Command(
        name = "topology",
        description = {
            "Shows the PCIe tree with its links, ACS, IOMMU groups and NVMe controllers, and the"
                    + " verdict on peer traffic between every pair of controllers in each"
                    + " direction.",
            ""
        },
        footer = {
            "",
            "Only reads sysfs and needs no privileges. Without root, ACS is unknown.",
            "",
            "Examples:",
            "    peerlane topology",
            "    peerlane topology --from server.zip --svg server.svg",
            "    peerlane topology --fabric lab.yaml",
            ""
        })
public final class TopologyCommand implements Callable<Integer> {
    private final Context context;

    @Mixin private final MachineOptions machine = new MachineOptions();

    @Option(
            names = "--svg",
            paramLabel = "FILE",
            description = "Also draw the topology as SVG in this file.")
    private @Nullable Path picture;

    public TopologyCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Snapshot snapshot = machine.source().snapshot(context.system(), List.of());
        TopologyDocument topology = TopologyDocument.of(snapshot);
        Path file = picture;
        if (file != null) {
            try {
                Files.writeString(file, TopologyPicture.svg(topology));
            } catch (IOException e) {
                throw new PeerlaneException(
                        PeerlaneException.Category.MACHINE,
                        "picture-not-written",
                        "the picture can't be written to %s: %s".formatted(file, e),
                        "Name a writable file",
                        e);
            }
        }
        if (machine.json()) {
            Json.print(context.terminal().out(), topology);
        } else {
            TopologyView.print(context.terminal().out(), topology);
        }
        return snapshot.machine().functions().isEmpty() ? 2 : 0;
    }
}
