package dev.peerlane.cli.devices;

import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.nvme.CmbField;
import java.io.PrintWriter;
import java.util.Objects;

/** {@link Inventory} as a person reads it. */
final class InventoryViews {
    private InventoryViews() {}

    static void devices(PrintWriter out, Inventory.Devices found) {
        if (found.devices().isEmpty()) {
            out.println("This fabric (" + found.fabric() + ") has no NVMe function.");
            out.flush();
            return;
        }
        Table table =
                new Table()
                        .row(
                                "DEVICE",
                                "ADDRESS",
                                "MODEL",
                                "SERIAL",
                                "FIRMWARE",
                                "NVME",
                                "CMB",
                                "NAMESPACES");
        for (Inventory.Device d : found.devices()) {
            if (d.error() != null) {
                table.row(d.locator(), "failed: " + d.error().message());
                continue;
            }
            Long cmb = d.cmbBytes();
            String first = d.namespaces().isEmpty() ? "none" : space(d.namespaces().getFirst());
            table.row(
                    d.locator(),
                    orDash(d.address()),
                    orDash(d.model()),
                    orDash(d.serial()),
                    orDash(d.firmware()),
                    orDash(d.version()),
                    cmb == null ? "none" : Sizes.text(cmb),
                    first);
            for (int i = 1; i < d.namespaces().size(); i++) {
                table.row("", "", "", "", "", "", "", space(d.namespaces().get(i)));
            }
        }
        table.print(out, "");
        out.flush();
    }

    private static String space(Inventory.Space s) {
        String name = "n" + s.nsid() + ": ";
        Long bytes = s.sizeBytes();
        String size =
                bytes == null
                        ? s.commandSet()
                        : "%s in %d blocks of %d bytes"
                                .formatted(Sizes.text(bytes), s.blocks(), s.blockBytes());
        return name + size + (s.unusable() == null ? "" : " (not usable: " + s.unusable() + ")");
    }

    private static String orDash(@org.jspecify.annotations.Nullable String text) {
        return text == null || text.isEmpty() ? "-" : text;
    }

    static void cmb(PrintWriter out, Inventory.Cmb cmb) {
        Long size = cmb.sizeBytes();
        if (size == null) {
            out.printf("%s (%s) has no CMB that can be used.%n", cmb.locator(), cmb.address());
        } else {
            out.printf(
                    "%s (%s) has a CMB of %s.%n", cmb.locator(), cmb.address(), Sizes.text(size));
        }
        Table head = new Table();
        if (cmb.absence() != null) {
            head.row(size == null ? "why not" : "refused", cmb.absence());
        }
        if (size != null) {
            head.row("place", "BAR %d from byte 0x%x on".formatted(cmb.bar(), cmb.barOffset()));
            if (!Objects.equals(cmb.declaredBytes(), size)) {
                long declared = Objects.requireNonNull(cmb.declaredBytes());
                head.row("declared", Sizes.text(declared) + ", more than the BAR has room for");
            }
            if (cmb.busAddress() != null) {
                head.row("address", cmb.busAddress() + " for every device of the fabric");
            }
            if (cmb.holds() != null) {
                head.row("its owner", "may place in it: " + cmb.holds().words());
            }
        }
        head.print(out, "  ");
        out.println();
        Table fields = new Table().row("REGISTER", "FIELD", "BITS", "VALUE", "MEANING");
        String register = "";
        for (CmbField f : cmb.fields()) {
            fields.row(
                    f.register().equals(register) ? "" : f.register(),
                    f.field(),
                    f.bits(),
                    "0x%x".formatted(f.value()),
                    f.meaning());
            register = f.register();
        }
        fields.print(out, "");
        out.flush();
    }
}
