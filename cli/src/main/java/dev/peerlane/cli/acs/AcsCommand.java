package dev.peerlane.cli.acs;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Deed;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.MachineOptions;
import dev.peerlane.cli.shared.MachineSource;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.diagnose.AcsChange;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.Bdf;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code acs}: shows and changes Access Control Services of bridges. */
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
            "Changes only RR, CR and EC, and only on bridges between the named devices. The old"
                    + " values are saved, and 'acs restore' writes them back."
                    + " 'pci=disable_acs_redir=' on the kernel command line does the same at"
                    + " every boot, before IOMMU groups are formed.",
            "",
            "Examples:",
            "    peerlane acs show 0000:03:00.0 0000:04:00.0",
            "    peerlane acs disable 0000:03:00.0 0000:04:00.0 --dry-run",
            "    sudo peerlane acs disable 0000:03:00.0 0000:04:00.0 --save acs.txt",
            "    sudo peerlane acs restore acs.txt",
            ""
        })
public final class AcsCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(index = "0", paramLabel = "show|disable|restore", description = "What to do.")
    private String verb = "";

    @Parameters(
            index = "1..*",
            paramLabel = "DEVICE|FILE",
            description =
                    "show, disable: the devices whose bridges are meant (show without devices:"
                            + " all bridges). restore: the file of saved values.")
    private List<String> names = new ArrayList<>();

    @Mixin private final MachineOptions machine = new MachineOptions();

    @Option(
            names = {"-n", "--dry-run"},
            description = "Print the setpci commands and change nothing.")
    private boolean dryRun;

    @Option(
            names = {"-y", "--yes"},
            description = "Don't ask for confirmation.")
    private boolean yes;

    @Option(
            names = "--guests-ok",
            description =
                    "disable: Change ACS even if a device below the switch is in use by a"
                            + " virtual machine or another program, or if that is unknown. If"
                            + " such a guest accesses an address of its own that equals a peer's"
                            + " BAR, the request then goes to the peer: silent corruption.")
    private boolean guestsOk;

    @Option(
            names = "--save",
            paramLabel = "FILE",
            defaultValue = "peerlane-acs.txt",
            description = "Save the old values in this new file (default: ${DEFAULT-VALUE}).")
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
                            "Unknown action '" + verb + "'",
                            "Use show, disable or restore");
        };
    }

    private List<Bdf> devices(Snapshot snapshot) {
        if (!names.isEmpty() && snapshot.machine().functions().isEmpty()) {
            throw PeerlaneException.machine(
                    "no-sysfs",
                    "no PCI functions in %s: /sys/bus/pci/devices is empty or missing"
                            .formatted(snapshot.origin()),
                    "Mount sysfs, run outside the container, or examine a capture with --from");
        }
        return names.stream().map(n -> MachineSource.bdf(snapshot, n)).toList();
    }

    private int show() {
        Snapshot snapshot = machine.source().snapshot(context.system(), names);
        List<Bdf> devices = devices(snapshot);
        AcsChange change = AcsChange.between(snapshot.machine(), devices);
        AcsDocument document = AcsDocument.of(snapshot, devices, names, change);
        PrintWriter out = context.terminal().out();
        if (machine.json()) {
            Json.print(out, document);
            return 0;
        }
        AcsView.bridges(out, document);
        if (!names.isEmpty()) {
            AcsView.change(out, change, document, save);
        } else if (document.bridges().isEmpty()) {
            out.println(
                    "No bridges in %s: /sys/bus/pci/devices is needed, and root to read ACS."
                            .formatted(snapshot.origin()));
        }
        return 0;
    }

    private int disable() {
        Snapshot snapshot = machine.source().snapshot(context.system(), names);
        if (names.size() < 2) {
            throw PeerlaneException.request(
                    "two-devices",
                    "acs disable needs the two ends of a route",
                    "Name two or more devices");
        }
        AcsChange change = AcsChange.between(snapshot.machine(), devices(snapshot));
        List<String> losses = change.losses(snapshot.machine());
        Terminal terminal = context.terminal();
        if (change.bridges().isEmpty()) {
            terminal.say("No bridge between these devices redirects: nothing was changed.");
            tell(AcsChangeDocument.disabled(Deed.NOTHING, change, losses, save));
            return 0;
        }
        guests(change.reached(snapshot.machine()));
        if (dryRun) {
            tell(AcsChangeDocument.disabled(Deed.PLANNED, change, losses, save));
            losses.forEach(terminal::say);
            terminal.say("These commands check nothing; 'peerlane acs disable' checks first.");
            return 0;
        }
        Path root = root();
        losses.forEach(terminal::say);
        confirm("Turn redirection off on %d bridges?".formatted(change.bridges().size()));
        change.apply(root, save);
        terminal.say(
                "Redirection is off. The old values are in %s; 'peerlane acs restore %s' sets them."
                        .formatted(save, save));
        tell(AcsChangeDocument.disabled(Deed.DONE, change, losses, save));
        return 0;
    }

    /**
     * Refuses the change if a guest could send requests to a peer, unless the user accepts that.
     */
    private void guests(List<Bdf> reached) {
        Path from = machine.source().from();
        if (machine.source().isFabric(names)) {
            return;
        }
        if (from != null && !Files.isDirectory(from)) {
            context.terminal()
                    .say(
                            "A capture doesn't show whether a device below the switch is in a"
                                    + " virtual machine. Check before you change that machine.");
            return;
        }
        List<String> reasons = Guests.against(reached, context.system(), from);
        if (reasons.isEmpty()) {
            return;
        }
        String what =
                ("%s; a guest's request to an address of its own that equals a peer's BAR would"
                                + " go to that peer instead of memory")
                        .formatted(String.join("; ", reasons));
        if (!guestsOk) {
            throw PeerlaneException.refused(
                    "guests-below",
                    what,
                    "End the virtual machines and programs that use devices below the switch, or"
                            + " add --guests-ok if none of them can send such an address");
        }
        context.terminal().say("Warning: " + what + ".");
    }

    private int restore() {
        if (names.size() != 1) {
            throw PeerlaneException.request(
                    "one-file",
                    "acs restore needs exactly one file",
                    "Name the file that 'acs disable' saved");
        }
        AcsChange change = AcsChange.load(Path.of(names.getFirst()));
        if (dryRun) {
            tell(AcsChangeDocument.restored(Deed.PLANNED, change, names.getFirst()));
            return 0;
        }
        Path root = root();
        confirm("Restore the old values on %d bridges?".formatted(change.bridges().size()));
        change.restore(root);
        context.terminal().say("The old values are restored.");
        tell(AcsChangeDocument.restored(Deed.DONE, change, names.getFirst()));
        return 0;
    }

    /** Prints the change. In text form, only the commands to run go to standard output. */
    private void tell(AcsChangeDocument document) {
        PrintWriter out = context.terminal().out();
        if (machine.json()) {
            Json.print(out, document);
        } else if (document.result().equals("planned")) {
            document.lines().forEach(out::println);
        }
    }

    /**
     * Returns the root below which configuration space may be written: this machine's or a
     * directory.
     */
    private Path root() {
        Path from = machine.source().from();
        if (machine.source().isFabric(List.of()) || (from != null && !Files.isDirectory(from))) {
            throw PeerlaneException.request(
                    "nothing-to-write",
                    "a capture or a fabric can't be changed",
                    "Use --dry-run, and run the commands on the machine itself");
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
                    "ACS was not changed: there is no terminal to ask for confirmation",
                    "Add --yes, or run it in a terminal");
        }
        String answer = terminal.ask(question + " [y/N] ", context.interruption());
        if (!answer.toLowerCase(Locale.ROOT).startsWith("y")) {
            throw PeerlaneException.refused(
                    "not-confirmed", "ACS was not changed", "Answer y to change it");
        }
    }
}
