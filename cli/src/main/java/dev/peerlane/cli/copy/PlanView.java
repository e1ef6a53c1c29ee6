package dev.peerlane.cli.copy;

import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.copy.Receipt;
import java.io.PrintWriter;

/** Prints plans as text. */
final class PlanView {
    private PlanView() {}

    static void print(PrintWriter out, PlanDocument document) {
        Receipt.Side from = document.source();
        Receipt.Side to = document.target();
        String carrier = document.buffer().device();
        Long free = document.buffer().freeBytes();
        String checker = document.verify().device();
        out.printf(
                "Would copy %s from %s to %s.%n",
                Sizes.text(document.bytes()), CopyWords.name(from), CopyWords.name(to));
        Table table =
                new Table()
                        .row("source", CopyWords.side(from))
                        .row("target", CopyWords.side(to) + ", to be overwritten")
                        .row(
                                "buffer",
                                carrier == null || free == null
                                        ? "host memory"
                                        : "%s: the CMB of %s, %s free"
                                                .formatted(
                                                        document.buffer().kind(),
                                                        carrier,
                                                        Sizes.text(free)))
                        .lines("route", document.route().stream().map(CopyWords::leg).toList())
                        .row("fence", CopyWords.fence(document.fence()))
                        .row(
                                "verify",
                                document.verify().method()
                                        + (checker == null ? "" : " over the CMB of " + checker))
                        .lines("buffers", document.reasons());
        table.print(out, "  ");
        out.println("Nothing was written.");
        out.flush();
    }
}
