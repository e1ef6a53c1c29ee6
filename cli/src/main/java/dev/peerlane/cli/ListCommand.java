package dev.peerlane.cli;

import dev.peerlane.PeerlaneException;
import dev.peerlane.open.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code list}: every NVMe function of a fabric. */
@Command(
        name = "list",
        description = {
            "Lists every NVMe function of a fabric: its name for the other commands, address,"
                    + " model, serial number, firmware, CMB and namespaces.",
            ""
        },
        footer = {
            "",
            "Each controller is brought up for this and shut down again. One that can't be is"
                    + " listed with the reason, and the exit status tells of it.",
            "",
            "Examples:",
            "  The built-in emulated fabric:",
            "    peerlane list",
            "  Two SSDs of this machine that are bound to vfio-pci:",
            "    peerlane list 0000:01:00.0 0000:02:00.0",
            "  The devices of a running QEMU:",
            "    peerlane list --fabric lab.yaml",
            ""
        })
final class ListCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(
            arity = "0..*",
            paramLabel = "DEVICE",
            description = "Only these; devices of this machine must be named.")
    private List<String> named = List.of();

    @Mixin private final FabricOption fabric = new FabricOption();

    ListCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Inventory.Devices found;
        PeerlaneException failure = null;
        List<String> wanted = named.stream().map(Opening::device).distinct().toList();
        try (Session session = Opening.session(fabric.file, wanted)) {
            List<Inventory.Device> devices = new ArrayList<>();
            for (String locator : wanted.isEmpty() ? session.fabric().locators() : wanted) {
                context.interruption().check();
                try {
                    devices.add(Inventory.Device.of(session.controller(locator)));
                } catch (PeerlaneException e) {
                    failure = e;
                    devices.add(Inventory.Device.failed(locator, e));
                }
            }
            found = new Inventory.Devices(Inventory.LIST_SCHEMA, session.fabric().kind(), devices);
        }
        if (fabric.json) {
            Json.print(context.terminal().out(), found);
        } else {
            InventoryViews.devices(context.terminal().out(), found);
        }
        if (failure != null) {
            Failures.say(context, failure);
            return failure.category().exitStatus();
        }
        return 0;
    }
}
