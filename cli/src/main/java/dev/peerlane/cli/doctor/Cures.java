package dev.peerlane.cli.doctor;

import dev.peerlane.diagnose.Action;
import dev.peerlane.diagnose.Check;
import dev.peerlane.pci.Bdf;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Cures for the doctor's findings that name commands or options of this program. The library knows
 * neither; cures without them come from the library's table of checks.
 */
public final class Cures {
    /**
     * A cure that names this program's commands.
     *
     * @param words what to do
     * @param undo how to undo it
     */
    record Cure(String words, String undo) {}

    private static final Map<Check, Cure> TABLE = table();

    private Cures() {}

    /** Returns the cure for a check. */
    static String cure(Check check) {
        Cure cure = TABLE.get(check);
        return cure == null ? check.cure() : cure.words();
    }

    /** Returns how to undo the cure. */
    static String undo(Check check) {
        Cure cure = TABLE.get(check);
        return cure == null ? check.undo() : cure.undo();
    }

    /** Returns actions as command lines. */
    public static List<String> lines(List<Action> actions) {
        return actions.stream().map(Cures::line).toList();
    }

    private static String line(Action action) {
        return switch (action) {
            case Action.Line line -> line.text();
            case Action.Bind bind -> "peerlane bind " + names(bind.functions());
            case Action.Unbind unbind -> "peerlane unbind " + names(unbind.functions());
            case Action.DisableRedirect off ->
                    "peerlane acs disable %s %s --save %s"
                            .formatted(off.one(), off.other(), kept(off.one(), off.other()));
            case Action.RestoreRedirect back ->
                    "peerlane acs restore " + kept(back.one(), back.other());
        };
    }

    private static String names(List<Bdf> functions) {
        return functions.stream().map(Bdf::toString).collect(Collectors.joining(" "));
    }

    private static String kept(Bdf one, Bdf other) {
        return "acs-%s-%s.txt".formatted(one, other);
    }

    private static Map<Check, Cure> table() {
        Map<Check, Cure> table = new EnumMap<>(Check.class);
        put(
                table,
                Check.NO_SYSFS,
                "Mount sysfs, run outside the container, or diagnose a capture with --from.");
        put(
                table,
                Check.DEVICE_ABSENT,
                "Check the address with 'peerlane topology'; reseat the card; 'echo 1 >"
                        + " /sys/bus/pci/rescan' scans again.");
        put(
                table,
                Check.DRIVER,
                "Bind it to vfio-pci with 'peerlane bind', which refuses a device that is in use"
                        + " or must keep its driver. The kernel's nvme driver loses it, so"
                        + " unmount its file systems first.",
                "'peerlane unbind' gives it back to its driver.");
        put(
                table,
                Check.GROUP_NOT_VIABLE,
                "If the other functions are drives that you can do without, bind them too"
                        + " ('peerlane bind' refuses what is in use). Leave anything else where"
                        + " it is (a network card, a display, Intel's VMD) and move the card to"
                        + " a slot with a group of its own.",
                "'peerlane unbind' gives them back; move the card back.");
        put(table, Check.HUGEPAGES, "Reserve some if you use --buffer host a lot.");
        put(
                table,
                Check.ACS_REQUEST,
                "Turn it off on the bridges of the route: now, with 'peerlane acs disable',"
                        + " which is refused while a device below is in a virtual machine; at"
                        + " every boot, with a kernel parameter (in GRUB, quote its ';')."
                        + " Devices below the switch can then reach each other unchecked, and"
                        + " IOMMU groups do not follow the change without a boot.",
                "'peerlane acs restore' sets the bits again; remove the parameter.");
        put(
                table,
                Check.HOST_BRIDGE,
                "Put both cards below one PCIe switch, or copy with --buffer host.");
        put(
                table,
                Check.WRITES_ONLY,
                "Use the target's CMB (--buffer target): then only writes cross. Check with"
                        + " --probe.");
        put(
                table,
                Check.SECOND_WAY,
                "Use the source's CMB (--buffer source): then the target reads, and nothing is"
                        + " written across. Or have the fabric send all packets of a pair along"
                        + " one path.");
        put(table, Check.FENCE_READBACK, "Let Peerlane choose the fence (--fence auto).");
        put(
                table,
                Check.VIRTUAL,
                "Diagnose on the host, or with a capture of it; or measure with --probe.");
        put(
                table,
                Check.CMB_ABSENT,
                "Use the other side's CMB (--buffer source or target), a third device's, or host"
                        + " memory.");
        put(table, Check.CMB_UNKNOWN, "Query the device: 'peerlane cmb DEVICE', or --probe.");
        put(
                table,
                Check.CMB_FIT_UNKNOWN,
                "Query the devices: 'peerlane copy SOURCE TARGET --dry-run', or --probe.");
        put(table, Check.CMB_RDS, "Use the target's CMB (--buffer target).");
        put(
                table,
                Check.CMB_WDS,
                "Use the source's CMB (--buffer source), if peer reads work, or a third"
                        + " device's.");
        return table;
    }

    private static void put(Map<Check, Cure> table, Check check, String words) {
        put(table, check, words, check.undo());
    }

    private static void put(Map<Check, Cure> table, Check check, String words, String undo) {
        table.put(check, new Cure(words, undo));
    }
}
