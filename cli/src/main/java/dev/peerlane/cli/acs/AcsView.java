package dev.peerlane.cli.acs;

import dev.peerlane.cli.terminal.Table;
import dev.peerlane.diagnose.AcsChange;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Prints {@link AcsDocument} as text. */
final class AcsView {
    private AcsView() {}

    static void bridges(PrintWriter out, AcsDocument document) {
        Table table = new Table();
        table.row("bridge", "capability", "control", "set");
        for (AcsDocument.Shown b : document.bridges()) {
            table.row(b.address(), dash(b.capability()), dash(b.control()), b.bits());
        }
        table.print(out, "");
    }

    private static String dash(@Nullable String text) {
        return text == null ? "-" : text;
    }

    /**
     * Prints what turning off redirection would do, and the commands to run.
     *
     * @param save the file for the old values
     */
    static void change(PrintWriter out, AcsChange change, AcsDocument document, Path save) {
        out.println();
        if (change.bridges().isEmpty()) {
            out.println("No bridge between these devices redirects: there is nothing to disable.");
            return;
        }
        out.println("To turn redirection off on the bridges of the route:");
        document.disableLines().forEach(line -> out.println("  " + line));
        out.println("and to undo it:");
        out.println("  peerlane acs restore " + save);
        out.println("It would clear:");
        change.bridges()
                .forEach(b ->
                        out.println(
                                "  %s: ACS Control %04x, then %04x"
                                        .formatted(b.bdf(), b.control(), b.changed())));
        out.println("What is lost:");
        document.losses().forEach(l -> out.println("  " + l));
    }
}
