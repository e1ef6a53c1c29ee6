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

/** {@code topology}: the PCIe tree, and who reaches whose memory. */
@Command(
        name = "topology",
        description = {
            "Shows the PCIe tree with its links, ACS, IOMMU groups and NVMe controllers, and for"
                    + " every pair of controllers and each direction what becomes of peer traffic.",
            ""
        },
        footer = {
            "",
            "It only reads sysfs, and needs no privileges; without root, ACS is not known.",
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

    @Option(names = "--svg", paramLabel = "FILE", description = "Draw it into this file, too.")
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
                        "Name a file that can be written",
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
