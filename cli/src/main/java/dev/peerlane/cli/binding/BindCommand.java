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

/** {@code bind}: gives functions of this machine to vfio-pci. */
@Command(
        name = "bind",
        description = {
            "Takes NVMe functions of this machine from their driver and gives them to vfio-pci, so"
                    + " that Peerlane can use them. Their block devices go away; nothing on them is"
                    + " touched, and unbind brings them back.",
            ""
        },
        footer = {
            "",
            "Refused: what is mounted, swap, in a stack of md or device mapper, exported, open in a"
                    + " program, held by somebody or the running root; bridges; a drive that another"
                    + " host may use; one whose IOMMU group holds others with drivers."
                    + " docs/vfio-setup.md goes through all of it.",
            "",
            "Examples:",
            "  What would be written, and where:",
            "    peerlane bind 0000:01:00.0 0000:02:00.0 --dry-run",
            "  Do it (as root), and undo it:",
            "    peerlane bind 0000:01:00.0 0000:02:00.0 --yes",
            "    peerlane unbind 0000:01:00.0 0000:02:00.0",
            ""
        })
public final class BindCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(
            arity = "1..*",
            paramLabel = "DEVICE",
            description = "PCI addresses, such as 0000:01:00.0; all that are to work together.")
    private List<String> devices = List.of();

    @Option(names = "--dry-run", description = "Print what would be written, and write nothing.")
    private boolean dryRun;

    @Option(
            names = "--shared-ok",
            description =
                    "Take a drive even if another host may use it (CMIC, NMIC) or has reserved it.")
    private boolean sharedOk;

    @Option(names = "--force-class", description = "Take a function that is no NVMe controller.")
    private boolean forceClass;

    @Option(
            names = {"-y", "--yes"},
            description = "Do it without a question.")
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
                    "nobody is there to confirm it: "
                            + String.join(
                                            "; ",
                                            plan.moves().stream().map(BindView::planned).toList())
                                    .replaceAll("\\.$", ""),
                    "Nothing was changed: say --yes if that is what you want");
        }
        plan.moves().forEach(m -> terminal.say(BindView.planned(m)));
        plan.notes().forEach(n -> terminal.say("Note: " + n + "."));
        Confirmation.goOn(context, "Nothing was changed");
    }
}
