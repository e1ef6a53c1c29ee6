package dev.peerlane.cli.devices;

import dev.peerlane.binding.Inventory.Drive;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.pci.Link;
import java.io.PrintWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Prints {@link MachineDocument} as text. */
final class MachineView {
    private MachineView() {}

    static void print(PrintWriter out, List<Drive> drives, List<String> builtIn) {
        if (drives.isEmpty()) {
            out.println("This machine has no NVMe functions.");
        } else {
            table(drives).print(out, "");
            if (drives.stream().anyMatch(d -> "vfio-pci".equals(d.driver()))) {
                out.println();
                out.println(
                        "Details of those bound to vfio-pci: peerlane list ADDRESS, or peerlane"
                                + " cmb ADDRESS.");
            }
        }
        out.println();
        out.printf(
                "Built-in emulated devices: %s (peerlane list %s). Others: --fabric FILE.%n",
                String.join(", ", builtIn), String.join(" ", builtIn));
        out.flush();
    }

    private static Table table(List<Drive> drives) {
        Table table =
                new Table()
                        .row(
                                "ADDRESS",
                                "MODEL",
                                "SERIAL",
                                "CAPACITY",
                                "DRIVER",
                                "GROUP",
                                "NODE",
                                "LINK",
                                "CMB",
                                "PMR",
                                "IN USE");
        for (Drive d : drives) {
            table.row(
                    d.bdf().toString(),
                    orDash(d.model()),
                    orDash(d.serial()),
                    d.model() == null ? "-" : Sizes.text(d.capacityBytes()),
                    orDash(d.driver()),
                    number(d.iommuGroup()),
                    number(d.numaNode()),
                    link(d.link()),
                    d.cmbBytes().isPresent()
                            ? Sizes.text(d.cmbBytes().getAsLong())
                            : unknown(d.cmbLimitBytes()),
                    d.pmrLimitBytes() == 0 ? "none" : unknown(d.pmrLimitBytes()),
                    d.inUse().isEmpty() ? "no" : d.inUse().getFirst());
            for (int i = 1; i < d.inUse().size(); i++) {
                table.row("", "", "", "", "", "", "", "", "", "", d.inUse().get(i));
            }
        }
        return table;
    }

    private static String unknown(long limitBytes) {
        return limitBytes == 0 ? "unknown" : "at most " + Sizes.text(limitBytes);
    }

    private static String link(@Nullable Link link) {
        if (link == null) {
            return "-";
        }
        return link.now().equals(link.best()) ? link.now() : link.now() + " of " + link.best();
    }

    private static String number(int number) {
        return number < 0 ? "-" : Integer.toString(number);
    }

    private static String orDash(@Nullable String text) {
        return text == null || text.isEmpty() ? "-" : text;
    }
}
