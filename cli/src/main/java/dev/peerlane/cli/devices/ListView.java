package dev.peerlane.cli.devices;

import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** Prints {@link ListDocument} as text. */
final class ListView {
    private ListView() {}

    static void print(PrintWriter out, ListDocument found) {
        if (found.devices().isEmpty()) {
            out.println("This fabric (" + found.fabric() + ") has no NVMe functions.");
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
        for (ListDocument.Device d : found.devices()) {
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

    private static String space(ListDocument.Space s) {
        String name = "n" + s.nsid() + ": ";
        Long bytes = s.sizeBytes();
        String size =
                bytes == null
                        ? s.commandSet()
                        : "%s in %d blocks of %d bytes"
                                .formatted(Sizes.text(bytes), s.blocks(), s.blockBytes());
        return name + size + (s.unusable() == null ? "" : " (not usable: " + s.unusable() + ")");
    }

    private static String orDash(@Nullable String text) {
        return text == null || text.isEmpty() ? "-" : text;
    }
}
