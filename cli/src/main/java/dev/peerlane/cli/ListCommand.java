package dev.peerlane.cli;

import dev.peerlane.PeerlaneException;
import dev.peerlane.open.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

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
            "  The devices of a running QEMU:",
            "    peerlane list --fabric lab.yaml",
            ""
        })
final class ListCommand implements Callable<Integer> {
    private final Context context;

    @Mixin private final FabricOption fabric = new FabricOption();

    ListCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Inventory.Devices found;
        PeerlaneException failure = null;
        try (Session session = Opening.session(fabric.file, List.of())) {
            List<Inventory.Device> devices = new ArrayList<>();
            for (String locator : session.fabric().locators()) {
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
