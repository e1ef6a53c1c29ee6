package dev.peerlane.cli.devices;

import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.binding.Inventory.Drive;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.ExitStatus;
import dev.peerlane.cli.shared.FabricOption;
import dev.peerlane.cli.shared.Failures;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** The command {@code list}: lists the NVMe functions of this machine or of a fabric. */
@Command(
        name = "list",
        description = {
            "Lists every NVMe function of this machine as Linux shows it, whatever its driver:"
                    + " address, model, serial number, capacity, driver, IOMMU group, NUMA node,"
                    + " link, CMB and PMR if known, and what uses it.",
            "With DEVICE or --fabric: the name, address, model, serial number, firmware, CMB and"
                    + " namespaces that each controller reports.",
            ""
        },
        footer = {
            "",
            "With DEVICE or --fabric, each controller is enabled and shut down again. If that"
                    + " fails, it is listed with the reason, and the exit status reflects the"
                    + " error.",
            "",
            "Examples:",
            "  This machine:",
            "    peerlane list",
            "  The built-in emulated fabric:",
            "    peerlane list emu:ssd0 emu:ssd1",
            "  Two SSDs of this machine that are bound to vfio-pci:",
            "    peerlane list 0000:01:00.0 0000:02:00.0",
            "  The devices of a running QEMU:",
            "    peerlane list --fabric lab.yaml",
            ""
        })
public final class ListCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(
            arity = "0..*",
            paramLabel = "DEVICE",
            description = "List only these; devices of this machine must be named.")
    private List<String> named = List.of();

    @Mixin private final FabricOption fabric = new FabricOption();

    public ListCommand(Context context) {
        this.context = context;
    }

    private int machine() {
        List<Drive> found = context.system().drives();
        List<String> builtIn =
                FabricModel.standard().drives().stream().map(DriveModel::locator).toList();
        if (fabric.json()) {
            Json.print(context.terminal().out(), MachineDocument.of(found, builtIn));
        } else {
            MachineView.print(context.terminal().out(), found, builtIn);
        }
        return 0;
    }

    @Override
    public Integer call() {
        if (fabric.file() == null && named.isEmpty()) {
            return machine();
        }
        ListDocument found;
        PeerlaneException failure = null;
        List<String> wanted = named.stream().map(Opening::device).distinct().toList();
        try (Session session = Opening.session(context.system(), fabric.file(), wanted)) {
            List<ListDocument.Device> devices = new ArrayList<>();
            for (String locator : wanted.isEmpty() ? session.fabric().locators() : wanted) {
                context.interruption().check();
                try {
                    devices.add(ListDocument.Device.of(session.controller(locator)));
                } catch (PeerlaneException e) {
                    failure = e;
                    devices.add(ListDocument.Device.failed(locator, e));
                }
            }
            found = new ListDocument(ListDocument.SCHEMA, session.fabric().kind(), devices);
        }
        if (fabric.json()) {
            Json.print(context.terminal().out(), found);
        } else {
            ListView.print(context.terminal().out(), found);
        }
        if (failure != null) {
            Failures.say(context, failure);
            return ExitStatus.of(failure);
        }
        return 0;
    }
}
