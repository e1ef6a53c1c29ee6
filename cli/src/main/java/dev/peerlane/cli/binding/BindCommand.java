package dev.peerlane.cli.binding;

import dev.peerlane.PeerlaneException;
import dev.peerlane.binding.BindPlan;
import dev.peerlane.binding.Binder;
import dev.peerlane.cli.shared.Confirmation;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Deed;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.pci.Bdf;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code bind}: binds functions of this machine to vfio-pci. */
@Command(
        name = "bind",
        description = {
            "Takes NVMe functions of this machine from their driver and binds them to vfio-pci,"
                    + " so that Peerlane can use them. Their block devices disappear, their data"
                    + " is untouched, and unbind brings them back.",
            ""
        },
        footer = {
            "",
            "Refused: a drive that is mounted, used as swap, part of an md or device mapper"
                    + " stack, exported, open in a program, otherwise held, or the running root;"
                    + " a bridge; a drive that another host may use; a drive whose IOMMU group"
                    + " holds other functions with drivers. docs/vfio-setup.md explains each.",
            "",
            "Examples:",
            "  Print what would be written, and where:",
            "    peerlane bind 0000:01:00.0 0000:02:00.0 --dry-run",
            "  Bind (as root), and undo it:",
            "    peerlane bind 0000:01:00.0 0000:02:00.0 --yes",
            "    peerlane unbind 0000:01:00.0 0000:02:00.0",
            ""
        })
public final class BindCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(
            arity = "1..*",
            paramLabel = "DEVICE",
            description =
                    "PCI addresses such as 0000:01:00.0, of all drives that are to work"
                            + " together.")
    private List<String> devices = List.of();

    @Option(names = "--dry-run", description = "Print what would be written and write nothing.")
    private boolean dryRun;

    @Option(
            names = "--shared-ok",
            description =
                    "Bind a drive even if another host may use it (CMIC, NMIC) or has reserved it.")
    private boolean sharedOk;

    @Option(
            names = "--force-class",
            description = "Bind a function that is not an NVMe controller.")
    private boolean forceClass;

    @Option(
            names = {"-y", "--yes"},
            description = "Don't ask for confirmation.")
    private boolean yes;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    public BindCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        List<Bdf> functions = devices.stream().map(Opening::function).toList();
        EnumSet<BindPlan.Allow> allowed = EnumSet.noneOf(BindPlan.Allow.class);
        if (sharedOk) {
            allowed.add(BindPlan.Allow.SHARED);
        }
        if (forceClass) {
            allowed.add(BindPlan.Allow.NOT_NVME);
        }
        Binder binder = context.system().binder();
        BindPlan plan = binder.bind(functions, allowed);
        boolean act = !dryRun && !plan.lines().isEmpty();
        if (act) {
            confirm(plan);
            context.interruption().check();
            binder.apply(plan);
        }
        Binding.tell(context, json, plan, act ? Deed.DONE : Deed.PLANNED);
        return 0;
    }

    private void confirm(BindPlan plan) {
        if (yes) {
            return;
        }
        Terminal terminal = context.terminal();
        if (!terminal.asks()) {
            throw PeerlaneException.refused(
                    "not-confirmed",
                    "there is no terminal to confirm it: "
                            + String.join(
                                            "; ",
                                            plan.moves().stream().map(BindView::planned).toList())
                                    .replaceAll("\\.$", ""),
                    "Nothing was changed: add --yes to go on");
        }
        plan.moves().forEach(m -> terminal.say(BindView.planned(m)));
        plan.notes().forEach(n -> terminal.say("Note: " + n + "."));
        Confirmation.goOn(context, "Nothing was changed");
    }
}
