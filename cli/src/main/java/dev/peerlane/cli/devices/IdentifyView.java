package dev.peerlane.cli.devices;

import dev.peerlane.cli.terminal.Table;
import java.io.PrintWriter;
import java.util.List;

/** Prints {@link IdentifyDocument} as text. */
final class IdentifyView {
    private IdentifyView() {}

    static void print(PrintWriter out, IdentifyDocument document) {
        out.printf(
                "Controller %s at %s%n",
                document.controller().locator(), document.controller().address());
        fields(document.controller().fields()).print(out, "  ");
        for (IdentifyDocument.NamespaceFields space : document.namespaces()) {
            out.println();
            out.printf("Namespace n%d, %s command set%n", space.nsid(), space.commandSet());
            Table table = fields(space.fields());
            if (space.uniqueId() != null) {
                table.row("identifier", space.uniqueId(), "");
            }
            table.print(out, "  ");
            if (!space.formats().isEmpty()) {
                out.println("  LBA formats");
                Table formats = new Table();
                space.formats().forEach(f -> formats.row(format(f)));
                formats.print(out, "    ");
            }
        }
        out.flush();
    }

    private static Table fields(List<IdentifyFields.Field> fields) {
        Table table = new Table();
        fields.forEach(f -> table.row(f.name(), f.value(), f.meaning()));
        return table;
    }

    private static String[] format(IdentifyDocument.Format f) {
        String metadata =
                f.metadataBytes() == 0 ? "no metadata" : f.metadataBytes() + " bytes of metadata";
        return new String[] {
            f.index() + ":",
            f.dataBytes() + " bytes",
            metadata,
            f.performance() + " performance" + (f.used() ? ", in use" : "")
        };
    }
}
