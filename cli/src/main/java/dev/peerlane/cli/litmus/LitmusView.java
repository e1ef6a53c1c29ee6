package dev.peerlane.cli.litmus;

import dev.peerlane.cli.copy.CopyWords;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.copy.Receipt;
import dev.peerlane.measure.LitmusCount;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Objects;

/** Prints counts of stale hand-offs as text. */
final class LitmusView {
    private LitmusView() {}

    static void print(PrintWriter out, LitmusDocument document) {
        LitmusDocument.Head h = Objects.requireNonNull(document.head());
        out.printf(
                "%s Reads into %s; %s Compares each slot when the fence hands it on.%n",
                CopyWords.name(h.source()),
                h.device() == null ? "host memory" : "the CMB of " + h.device(),
                CopyWords.name(h.target()));
        new Table()
                .row("slots", "%d of %s".formatted(h.slots(), Sizes.text(h.chunkBytes())))
                .lines("route", h.route().stream().map(CopyWords::leg).toList())
                .row("scratch", scratch(h.source()))
                .row("", scratch(h.target()))
                .row("seed", "" + h.seed())
                .print(out, "  ");
        out.println();
        Table table = new Table().row("FENCE", "HAND-OFFS", "STALE", "AT MOST (95 %)", "IN A COPY");
        for (LitmusDocument.Counted line : document.lines()) {
            LitmusCount count = line.count();
            table.row(
                    count.fence(),
                    count(count.handOffs()),
                    count(count.stale()),
                    bound(count),
                    line.refusal() == null ? "yes" : line.refusal());
        }
        table.print(out, "  ");
        out.println();
        out.println(
                "AT MOST is the largest share of stale hand-offs that is compatible with these"
                        + " counts (Clopper-Pearson).");
        out.flush();
    }

    private static String bound(LitmusCount count) {
        Double bound = count.upperBound();
        if (bound == null) {
            return "nothing measured";
        }
        return bound > 0.01
                ? String.format(Locale.ROOT, "%.2f %%", 100 * bound)
                : "1 in " + count((long) (1 / bound));
    }

    private static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** Returns the scratch range of one side, with its device. */
    static String scratch(Receipt.Side side) {
        return "%s (%s, serial %s): %s of %d bytes"
                .formatted(
                        CopyWords.name(side),
                        side.model(),
                        side.serial(),
                        CopyWords.blocks(side),
                        side.blockBytes());
    }
}
