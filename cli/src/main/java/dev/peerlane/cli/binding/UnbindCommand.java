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

/** {@code unbind}: gives functions of this machine back to the drivers that they were with. */
@Command(
        name = "unbind",
        description = {
            "Takes functions of this machine from vfio-pci and gives them back to the driver that"
                    + " bind took them from, with the driver_override of then. Where bind did not,"
                    + " Linux gives them the driver that it has for them, nvme for SSDs. Their block"
                    + " devices come back.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  One, whoever bound it, and all that bind has taken and nothing else:",
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
            description = "All that bind has taken since the machine started, and nothing else.")
    private boolean all;

    @Option(names = "--dry-run", description = "Print what would be written, and write nothing.")
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
                    all ? "--all and devices are named" : "no device is named",
                    "Name devices, or say --all");
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
     * What somebody else gave to vfio-pci is his to take back: a virtual machine may wait for it.
     */
    private void others(List<Bdf> taken) {
        for (Drive drive : context.system().drives()) {
            if ("vfio-pci".equals(drive.driver()) && !taken.contains(drive.bdf())) {
                context.terminal()
                        .say(
                                "Note: %s is with vfio-pci, and bind did not do that: it stays. 'peerlane unbind %s' gives it back."
                                        .formatted(drive.bdf(), drive.bdf()));
            }
        }
    }
}
