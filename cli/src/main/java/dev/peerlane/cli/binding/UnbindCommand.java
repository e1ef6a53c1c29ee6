package dev.peerlane.cli.binding;

import dev.peerlane.PeerlaneException;
import dev.peerlane.binding.BindPlan;
import dev.peerlane.binding.Binder;
import dev.peerlane.binding.Inventory.Drive;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Deed;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.pci.Bdf;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code unbind}: returns functions of this machine to their former drivers. */
@Command(
        name = "unbind",
        description = {
            "Takes functions of this machine from vfio-pci and returns each to the driver that"
                    + " bind took it from, with its former driver_override. If bind didn't take"
                    + " it, Linux picks the driver, nvme for SSDs. Their block devices come back.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  One function, whatever bound it; then all that bind has taken and no others:",
            "    peerlane unbind 0000:01:00.0",
            "    peerlane unbind --all",
            ""
        })
public final class UnbindCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(
            arity = "0..*",
            paramLabel = "DEVICE",
            description = "PCI addresses, such as 0000:01:00.0.")
    private List<String> devices = List.of();

    @Option(
            names = "--all",
            description = "All functions that bind has taken since boot, and no others.")
    private boolean all;

    @Option(names = "--dry-run", description = "Print what would be written and write nothing.")
    private boolean dryRun;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    public UnbindCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (all == !devices.isEmpty()) {
            throw PeerlaneException.request(
                    "which-devices",
                    all ? "--all and devices can't be combined" : "no device is named",
                    "Name devices, or use --all");
        }
        Binder binder = context.system().binder();
        List<Bdf> functions =
                all ? binder.bound() : devices.stream().map(Opening::function).toList();
        if (all) {
            others(functions);
        }
        BindPlan plan = binder.unbind(functions);
        if (!dryRun) {
            binder.apply(plan);
        }
        Binding.tell(context, json, plan, dryRun ? Deed.PLANNED : Deed.DONE);
        return 0;
    }

    /**
     * Names the functions that something else bound to vfio-pci. They stay: a virtual machine may
     * be waiting for them.
     */
    private void others(List<Bdf> taken) {
        for (Drive drive : context.system().drives()) {
            if ("vfio-pci".equals(drive.driver()) && !taken.contains(drive.bdf())) {
                context.terminal()
                        .say(
                                ("Note: %s stays with vfio-pci, because bind did not take it"
                                                + " there. 'peerlane unbind %s' returns it.")
                                        .formatted(drive.bdf(), drive.bdf()));
            }
        }
    }
}
