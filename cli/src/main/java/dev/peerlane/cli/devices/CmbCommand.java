package dev.peerlane.cli.devices;

import dev.peerlane.Session;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.FabricOption;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.Opening;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** The command {@code cmb}: shows the controller memory buffer of a device. */
@Command(
        name = "cmb",
        description = {
            "Shows the controller memory buffer of a device: its size, what it may hold, its"
                    + " address and every field of its registers, or why there is none.",
            ""
        },
        footer = {
            "",
            "The CMB is enabled for this and then disabled again. Nothing is written to the"
                    + " medium.",
            "",
            "Example:",
            "    peerlane cmb emu:ssd1",
            ""
        })
public final class CmbCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(index = "0", paramLabel = "DEVICE", description = "The device.")
    private String device = "";

    @Mixin private final FabricOption fabric = new FabricOption();

    public CmbCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        String locator = Opening.device(device);
        CmbDocument found;
        try (Session session = Opening.session(context.system(), fabric.file(), List.of(locator))) {
            found = CmbDocument.of(session.controller(locator));
        }
        if (fabric.json()) {
            Json.print(context.terminal().out(), found);
        } else {
            CmbView.print(context.terminal().out(), found);
        }
        return 0;
    }
}
