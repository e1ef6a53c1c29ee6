package dev.peerlane.cli.devices;

import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.nvme.CmbField;
import java.io.PrintWriter;
import java.util.Objects;

/** Prints {@link CmbDocument} as text. */
final class CmbView {
    private CmbView() {}

    static void print(PrintWriter out, CmbDocument cmb) {
        Long size = cmb.sizeBytes();
        if (size == null) {
            out.printf("%s (%s) has no usable CMB.%n", cmb.locator(), cmb.address());
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
                head.row("declared", Sizes.text(declared) + ", more than fits in the BAR");
            }
            if (cmb.busAddress() != null) {
                head.row("address", cmb.busAddress() + " for every device of the fabric");
            }
            if (cmb.holds() != null) {
                head.row("its owner", "may place there: " + cmb.holds().words());
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
