package dev.peerlane.cli.acs;

import dev.peerlane.PeerlaneException;
import dev.peerlane.binding.VfioUse;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.LocalSystem;
import dev.peerlane.cli.shared.MachineOptions;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.diagnose.AcsChange;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.sysfs.SysfsTree;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code acs}: Access Control Services of bridges. */
@Command(
        name = "acs",
        description = {
            "Shows and changes the redirect bits of Access Control Services, which send peer"
                    + " traffic through the root complex.",
            ""
        },
        footer = {
            "",
            "'acs disable' is refused while a device below the switch is in a virtual machine or"
                    + " another program that uses VFIO.",
            "It changes only RR, CR and EC, only on bridges between the named devices,"
                    + " keeps the old values, and 'acs restore' sets exactly them. 'pci="
                    + "disable_acs_redir=' on the kernel command line does it at every boot, before"
                    + " IOMMU groups are formed.",
            "",
            "Examples:",
            "    peerlane acs show 0000:03:00.0 0000:04:00.0",
            "    peerlane acs disable 0000:03:00.0 0000:04:00.0 --dry-run",
            "    sudo peerlane acs disable 0000:03:00.0 0000:04:00.0 --save acs.txt",
            "    sudo peerlane acs restore acs.txt",
            ""
        })
public final class AcsCommand implements Callable<Integer> {
    private static final String SCHEMA = "peerlane.acs/1";
    private static final String CHANGE_SCHEMA = "peerlane.acs-change/1";

    private final Context context;

    @Parameters(index = "0", paramLabel = "show|disable|restore", description = "What to do.")
    private String verb = "";

    @Parameters(
            index = "1..*",
            paramLabel = "DEVICE|FILE",
            description =
                    "show, disable: the devices between which the bridges are (show: all bridges"
                            + " without any). restore: the file of old values.")
    private List<String> names = new ArrayList<>();

    @Mixin private final MachineOptions machine = new MachineOptions();

    @Option(
            names = {"-n", "--dry-run"},
            description = "Print the setpci lines instead of changing anything.")
    private boolean dryRun;

    @Option(
            names = {"-y", "--yes"},
            description = "Change it without a question.")
    private boolean yes;

    @Option(
            names = "--guests-ok",
            description =
                    "disable: Change it even if a device below the switch is in a virtual machine or"
                            + " another program, or if that can't be seen. What such a guest sends"
                            + " to an address of its own that equals a peer's BAR then goes to the"
                            + " peer: silent corruption.")
    private boolean guestsOk;

    @Option(
            names = "--save",
            paramLabel = "FILE",
            defaultValue = "peerlane-acs.txt",
            description =
                    "The new file that keeps the old values; the default is ${DEFAULT-VALUE}.")
    private Path save = Path.of("peerlane-acs.txt");

    public AcsCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        return switch (verb) {
            case "show" -> show();
            case "disable" -> disable();
            case "restore" -> restore();
            default ->
                    throw PeerlaneException.request(
                            "bad-verb",
                            "'" + verb + "' is nothing that can be done with ACS",
                            "Write show, disable or restore");
        };
    }

    /** A bridge of a document. */
    record Shown(
            String address, @Nullable String capability, @Nullable String control, String bits) {}

    /** What {@code show} prints as JSON. */
    record Document(
            String schema,
            String origin,
            List<Shown> bridges,
            List<String> disableLines,
            List<String> losses) {}

    /** A register of a bridge; what it had is null where it was not looked at. */
    record Changed(String address, @Nullable String before, String after) {}

    /** What the other two print as JSON; the result is nothing, planned or done. */
    record ChangeDocument(
            String schema,
            String result,
            @Nullable String file,
            List<Changed> bridges,
            List<String> lines,
            List<String> losses) {}

    private List<Bdf> devices(Snapshot snapshot) {
        if (!names.isEmpty() && snapshot.machine().functions().isEmpty()) {
            throw PeerlaneException.machine(
                    "no-sysfs",
                    "no PCI function can be seen in %s: /sys/bus/pci/devices is empty or not there"
                            .formatted(snapshot.origin()),
                    "Mount sysfs, run outside the container, or look at a capture with --from");
        }
        return names.stream().map(n -> MachineOptions.bdf(snapshot, n)).toList();
    }

    private int show() {
        Snapshot snapshot = machine.snapshot(context.system(), names);
        List<Bdf> devices = devices(snapshot);
        AcsChange change = AcsChange.between(snapshot.machine(), devices);
        Set<Bdf> above = new HashSet<>();
        for (Bdf device : devices) {
            snapshot.machine().bridgesAbove(device).forEach(b -> above.add(b.bdf()));
        }
        change.bridges().forEach(b -> above.add(b.bdf()));
        List<Shown> shown = new ArrayList<>();
        for (PciFunction f : snapshot.machine().functions()) {
            boolean wanted = names.isEmpty() || above.contains(f.bdf());
            if (wanted && f.isBridge()) {
                shown.add(shown(f));
            }
        }
        boolean some = !change.bridges().isEmpty();
        List<String> lines =
                some ? List.of("peerlane acs disable " + String.join(" ", names)) : List.of();
        List<String> losses = change.losses(snapshot.machine());
        PrintWriter out = context.terminal().out();
        if (machine.json()) {
            Json.print(out, new Document(SCHEMA, snapshot.origin(), shown, lines, losses));
            return 0;
        }
        Table table = new Table();
        table.row("bridge", "capability", "control", "set");
        for (Shown s : shown) {
            table.row(s.address(), dash(s.capability()), dash(s.control()), s.bits());
        }
        table.print(out, "");
        if (!names.isEmpty()) {
            explain(out, change, losses);
        } else if (shown.isEmpty()) {
            out.println(
                    "No bridge can be seen in %s: it needs /sys/bus/pci/devices, and root to read ACS."
                            .formatted(snapshot.origin()));
        }
        return 0;
    }

    private static String dash(@Nullable String text) {
        return text == null ? "-" : text;
    }

    private static Shown shown(PciFunction f) {
        Acs acs = f.acs();
        String address = f.bdf().toString();
        if (acs == null) {
            return new Shown(address, null, null, "no ACS");
        }
        return acs.known()
                ? new Shown(
                        address,
                        "%04x".formatted(acs.capability()),
                        "%04x".formatted(acs.control()),
                        acs.words())
                : new Shown(
                        address,
                        null,
                        null,
                        f.details().asleep() == null
                                ? "unreadable: run as root"
                                : "not read: " + f.details().asleep());
    }

    private void explain(PrintWriter out, AcsChange change, List<String> losses) {
        out.println();
        if (change.bridges().isEmpty()) {
            out.println("No bridge between these devices redirects: there is nothing to disable.");
            return;
        }
        out.println("To turn redirection off on the bridges of the route:");
        out.println("  peerlane acs disable " + String.join(" ", names));
        out.println("and to undo it:");
        out.println("  peerlane acs restore " + save);
        out.println("It would clear:");
        change.bridges()
                .forEach(b ->
                        out.println(
                                "  %s: ACS Control %04x, then %04x"
                                        .formatted(b.bdf(), b.control(), b.changed())));
        out.println("What is lost:");
        losses.forEach(l -> out.println("  " + l));
    }

    private int disable() {
        Snapshot snapshot = machine.snapshot(context.system(), names);
        if (names.size() < 2) {
            throw PeerlaneException.request(
                    "two-devices",
                    "acs disable wants the two ends of a route",
                    "Name two devices, or more");
        }
        AcsChange change = AcsChange.between(snapshot.machine(), devices(snapshot));
        List<String> losses = change.losses(snapshot.machine());
        Terminal terminal = context.terminal();
        if (change.bridges().isEmpty()) {
            terminal.say("No bridge between these devices redirects: nothing is changed.");
            tell(disabled("nothing", change, losses));
            return 0;
        }
        guests(change.reached(snapshot.machine()));
        if (dryRun) {
            tell(disabled("planned", change, losses));
            losses.forEach(terminal::say);
            terminal.say("These lines look at nothing: 'peerlane acs disable' looks first.");
            return 0;
        }
        Path root = root();
        losses.forEach(terminal::say);
        confirm("Turn redirection off on %d bridges?".formatted(change.bridges().size()));
        change.apply(root, save);
        terminal.say(
                "Redirection is off. The old values are in %s; 'peerlane acs restore %s' sets them."
                        .formatted(save, save));
        tell(disabled("done", change, losses));
        return 0;
    }

    /**
     * A guest's addresses are its own memory's, and one may equal the BAR of a peer. While ports
     * redirect, the IOMMU translates it; once they don't, the switch routes it to that peer.
     */
    private void guests(List<Bdf> reached) {
        Path from = machine.from();
        if (machine.isFabric(names)) {
            return;
        }
        if (from != null && !Files.isDirectory(from)) {
            context.terminal()
                    .say(
                            "A capture does not show whether a device below is in a virtual machine:"
                                    + " look before you change that machine.");
            return;
        }
        LocalSystem local = context.system();
        SystemRoot system = from == null ? local.systemRoot() : SystemRoot.in(from);
        VfioUse use = new VfioUse(from == null ? local.kernel().get() : null, system);
        SysfsTree tree = SysfsTree.list(system.sys());
        List<String> reasons = new ArrayList<>();
        for (Bdf bdf : reached) {
            VfioUse.Answer answer = tree.function(bdf).map(use::of).orElse(VfioUse.Answer.GONE);
            answer.users().forEach(by -> reasons.add("%s is in use (%s)".formatted(bdf, by)));
            if (answer.users().isEmpty()) {
                answer.unknown()
                        .forEach(why -> reasons.add("%s may be in use (%s)".formatted(bdf, why)));
            }
        }
        if (reasons.isEmpty()) {
            return;
        }
        String what =
                "%s; what a guest sends to an address of its own that equals a peer's BAR would go to that peer instead of memory"
                        .formatted(String.join("; ", reasons));
        if (!guestsOk) {
            throw PeerlaneException.refused(
                    "guests-below",
                    what,
                    "End the virtual machines and programs that use devices below the switch, or say"
                            + " --guests-ok if none of them can send such an address");
        }
        context.terminal().say("Warning: " + what + ".");
    }

    private int restore() {
        if (names.size() != 1) {
            throw PeerlaneException.request(
                    "one-file", "acs restore wants one file", "Name what 'acs disable' kept");
        }
        AcsChange change = AcsChange.load(Path.of(names.getFirst()));
        if (dryRun) {
            tell(restored("planned", change));
            return 0;
        }
        Path root = root();
        confirm("Set the old values on %d bridges?".formatted(change.bridges().size()));
        change.restore(root);
        context.terminal().say("The old values are set again.");
        tell(restored("done", change));
        return 0;
    }

    private ChangeDocument disabled(String result, AcsChange change, List<String> losses) {
        return new ChangeDocument(
                CHANGE_SCHEMA,
                result,
                result.equals("done") ? save.toString() : null,
                change.bridges().stream()
                        .map(b ->
                                new Changed(b.bdf().toString(), hex(b.control()), hex(b.changed())))
                        .toList(),
                change.bridges().stream().map(AcsChange.Bridge::line).toList(),
                losses);
    }

    private ChangeDocument restored(String result, AcsChange change) {
        return new ChangeDocument(
                CHANGE_SCHEMA,
                result,
                names.getFirst(),
                change.bridges().stream()
                        .map(b -> new Changed(b.bdf().toString(), null, hex(b.control())))
                        .toList(),
                change.bridges().stream().map(AcsChange.Bridge::undoLine).toList(),
                List.of());
    }

    private static String hex(int register) {
        return "%04x".formatted(register);
    }

    /** As text, only what is to be typed goes to standard output. */
    private void tell(ChangeDocument document) {
        PrintWriter out = context.terminal().out();
        if (machine.json()) {
            Json.print(out, document);
        } else if (document.result().equals("planned")) {
            document.lines().forEach(out::println);
        }
    }

    /** Where the configuration spaces are that may be written: this machine's, or a directory's. */
    private Path root() {
        Path from = machine.from();
        if (machine.isFabric(List.of()) || (from != null && !Files.isDirectory(from))) {
            throw PeerlaneException.request(
                    "nothing-to-write",
                    "a capture or a fabric can't be changed",
                    "Use --dry-run, and type the lines on the machine itself");
        }
        return from == null ? context.system().root() : from;
    }

    private void confirm(String question) {
        if (yes) {
            return;
        }
        Terminal terminal = context.terminal();
        if (!terminal.asks()) {
            throw PeerlaneException.refused(
                    "not-confirmed",
                    "ACS is not changed: there is nobody to ask",
                    "Say --yes, or run it on a terminal");
        }
        String answer = terminal.ask(question + " [y/N] ", context.interruption());
        if (!answer.toLowerCase(Locale.ROOT).startsWith("y")) {
            throw PeerlaneException.refused(
                    "not-confirmed", "ACS is not changed", "Answer y to change it");
        }
    }
}
