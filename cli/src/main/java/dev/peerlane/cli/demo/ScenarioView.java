package dev.peerlane.cli.demo;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.copy.ReceiptView;
import dev.peerlane.cli.demo.ScenarioRun.Attempt;
import dev.peerlane.cli.demo.ScenarioRun.Damage;
import dev.peerlane.cli.demo.ScenarioRun.Outcome;
import dev.peerlane.cli.doctor.Cures;
import dev.peerlane.cli.doctor.DoctorView;
import dev.peerlane.cli.shared.ExitStatus;
import dev.peerlane.cli.shared.Remedies;
import dev.peerlane.cli.terminal.Paragraph;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.copy.Receipt;
import dev.peerlane.diagnose.Diagnosis;
import dev.peerlane.diagnose.Finding;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Objects;

/** Prints the result of a scenario as text. */
final class ScenarioView {
    private ScenarioView() {}

    static void list(PrintWriter out) {
        Table table = new Table();
        for (Scenario each : Scenario.values()) {
            table.row(each.label(), each.title());
        }
        table.print(out, "");
        out.flush();
    }

    static void print(PrintWriter out, Outcome o) {
        Scenario scenario = o.scenario();
        out.printf("%s: %s (seed %d).%n", scenario.label(), scenario.title(), o.seed());
        Paragraph.print(out, "  ", scenario.warning());
        heading(out, "A copy without safeguards: no route check, no fence, no verification");
        Paragraph.print(out, "  ", scenario.mistake());
        damage(out, o.unguarded());
        heading(out, "The doctor, on the same fabric");
        doctor(out, o);
        heading(out, "The copy with safeguards");
        String gap = "";
        for (Attempt each : o.guarded()) {
            out.print(gap);
            attempt(out, each);
            gap = System.lineSeparator();
        }
        out.println();
        out.printf(
                "To use this fabric with other commands: peerlane demo --scenario %s"
                        + " --print-fabric |"
                        + " peerlane doctor emu:source emu:target --fabric -%n",
                scenario.label());
        out.flush();
    }

    private static void heading(PrintWriter out, String text) {
        out.println();
        out.println(text);
        out.println("-".repeat(text.length()));
    }

    private static void damage(PrintWriter out, Attempt unguarded) {
        Receipt receipt = unguarded.receipt();
        if (receipt == null || unguarded.refusal() != null) {
            out.println(
                    "  It did not end: "
                            + Remedies.explain(Objects.requireNonNull(unguarded.refusal())));
            return;
        }
        Damage d = unguarded.damage();
        Table table = new Table();
        table.row(
                "it reports", "%s bytes copied, no error".formatted(count(receipt.bytesCopied())));
        if (d.bytes() == 0) {
            table.row("the target", "is right, by luck: try another --seed");
        } else {
            table.row(
                    "the target",
                    "%s of %s bytes are wrong, in %d of %d blocks, from block %d on"
                            .formatted(
                                    count(d.bytes()),
                                    count(Scenario.BYTES),
                                    d.blocks(),
                                    Scenario.BYTES / ScenarioRun.BLOCK_BYTES,
                                    d.firstBlock()));
            part(table, d.emptyBytes(), "zeroes: nothing had arrived in the slot");
            part(table, d.staleBytes(), "stale: what the slot had held before");
        }
        table.print(out, "  ");
    }

    private static void part(Table table, int bytes, String what) {
        if (bytes > 0) {
            table.row("", "%s of them are %s".formatted(count(bytes), what));
        }
    }

    private static void doctor(PrintWriter out, Outcome o) {
        Diagnosis d = o.doctor().diagnosis();
        String through =
                d.isGo() && d.owner() != null
                        ? ", through the CMB of "
                                + DoctorView.name(o.doctor().snapshot(), d.owner())
                        : "";
        out.printf(
                "  %s (exit status %d)%s%n", d.isGo() ? "GO" : "NO-GO", ExitStatus.of(d), through);
        for (Finding f : d.findings()) {
            Paragraph.print(
                    out,
                    "  %-8s ".formatted(f.severity().name().toLowerCase(Locale.ROOT)),
                    "%s at %s: %s".formatted(f.code(), f.subject(), f.detail()));
            for (String line : Cures.lines(f.fix())) {
                out.println("           fix: " + line);
            }
        }
        d.rejected().forEach(line -> Paragraph.print(out, "  rejected: ", line));
        if (d.findings().isEmpty()) {
            out.println("  No findings: the route is good. Ordering is left to the fence.");
        }
    }

    private static void attempt(PrintWriter out, Attempt attempt) {
        PeerlaneException refusal = attempt.refusal();
        Receipt receipt = attempt.receipt();
        if (receipt == null) {
            PeerlaneException why = Objects.requireNonNull(refusal);
            Paragraph.print(
                    out,
                    "  " + attempt.label() + ": ",
                    "REFUSED [%s], exit status %d. %s"
                            .formatted(
                                    why.code(),
                                    ExitStatus.of(why),
                                    String.valueOf(why.getMessage())));
            out.println("    nothing was written");
            return;
        }
        out.printf(
                "  %s: %s%n",
                attempt.label(),
                refusal == null
                        ? "%s bytes copied and checked, every one right"
                                .formatted(count(receipt.bytesCopied()))
                        : "STOPPED [%s] %s".formatted(refusal.code(), refusal.getMessage()));
        ReceiptView.table(receipt).print(out, "    ");
        for (String note : receipt.notes()) {
            Paragraph.print(out, "    note: ", note);
        }
    }

    private static String count(long bytes) {
        return String.format(Locale.ROOT, "%,d", bytes);
    }
}
