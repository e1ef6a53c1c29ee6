package dev.peerlane.cli.devices;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.FabricOption;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.nvme.Controller;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** The command {@code identify}: shows the Identify data of a controller and its namespaces. */
@Command(
        name = "identify",
        description = {
            "Shows the Identify data of a controller and its namespaces, field by field, with"
                    + " explanations.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  A controller and all its namespaces:",
            "    peerlane identify emu:ssd0",
            "  One namespace:",
            "    peerlane identify emu:ssd0/n1",
            ""
        })
public final class IdentifyCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(
            index = "0",
            paramLabel = "DEVICE[/nNSID]",
            description = "The device, or one of its namespaces.")
    private String device = "";

    @Mixin private final FabricOption fabric = new FabricOption();

    public IdentifyCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Extent extent = Opening.namespace(device);
        IdentifyDocument found;
        try (Session session =
                Opening.session(context.system(), fabric.file(), List.of(extent.device()))) {
            Controller controller = session.controller(extent.device());
            found =
                    IdentifyDocument.of(
                            controller,
                            extent.nsid() == null
                                    ? controller.namespaces()
                                    : List.of(controller.namespace(extent.nsid())));
        }
        if (fabric.json()) {
            Json.print(context.terminal().out(), found);
        } else {
            IdentifyView.print(context.terminal().out(), found);
        }
        return 0;
    }
}
