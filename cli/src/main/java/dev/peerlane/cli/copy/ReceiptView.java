package dev.peerlane.cli.copy;

import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.copy.Receipt;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** Prints receipts as text. */
public final class ReceiptView {
    private ReceiptView() {}

    public static void print(PrintWriter out, Receipt receipt) {
        out.println(summary(receipt));
        table(receipt)
                .row("queue depth", depth(receipt.tuning()))
                .row("processor", processor(receipt))
                .print(out, "  ");
        out.flush();
    }

    /** Returns a sentence about what a copy did. */
    static String summary(Receipt receipt) {
        return receipt.result().equals("ok") ? done(receipt) : stopped(receipt);
    }

    private static String done(Receipt r) {
        String checked =
                r.verify().method().equals("none") ? ", not verified." : ", and verified it.";
        return "Copied %s from %s to %s in %s, %s%s"
                .formatted(
                        Sizes.text(r.bytesCopied()),
                        CopyWords.name(r.source()),
                        CopyWords.name(r.target()),
                        Sizes.seconds(r.seconds()),
                        Sizes.rate(r.bytesPerSecond()),
                        checked);
    }

    private static String stopped(Receipt r) {
        long asked = r.source().blocks() * r.source().blockBytes();
        if (r.bytesCopied() == asked) {
            String checked =
                    switch (r.verify().result()) {
                        case "ok" -> "that is verified";
                        case "failed" -> "the verification failed";
                        case "stopped" -> "the verification was stopped";
                        default -> "that is not verified";
                    };
            return "Copied all %s from %s to %s; %s."
                    .formatted(
                            Sizes.text(asked),
                            CopyWords.name(r.source()),
                            CopyWords.name(r.target()),
                            checked);
        }
        return "Stopped after %s of %s from %s to %s."
                .formatted(
                        Sizes.text(r.bytesCopied()),
                        Sizes.text(asked),
                        CopyWords.name(r.source()),
                        CopyWords.name(r.target()));
    }

    /** Returns the parts of a receipt that don't differ from run to run. */
    public static Table table(Receipt r) {
        Table table =
                new Table()
                        .row("source", CopyWords.side(r.source()))
                        .row("target", CopyWords.side(r.target()));
        Receipt.Buffer buffer = r.buffer();
        if (buffer != null) {
            table.row("buffer", buffer(buffer) + slots(r));
        }
        table.lines("route", r.route().stream().map(CopyWords::leg).toList());
        table.row("fence", CopyWords.fence(r.fence()));
        Receipt.Failure error = r.error();
        if (error != null) {
            table.lines("written", r.copied().isEmpty() ? List.of("nothing") : written(r));
            if (error.sourceCondition() != null) {
                table.lines(
                        "devices then",
                        List.of(
                                "the source " + error.sourceCondition(),
                                "the target " + error.targetCondition()));
            }
        }
        table.row("verify", verification(r.verify()));
        table.row("host data", hostData(r));
        return table;
    }

    private static String slots(Receipt r) {
        return ": %d slots of %s".formatted(r.slots(), Sizes.text(r.chunkBytes()));
    }

    private static List<String> written(Receipt r) {
        return r.copied().stream()
                .map(range ->
                        "blocks %d to %d of the target"
                                .formatted(range.slba(), range.slba() + range.blocks() - 1))
                .toList();
    }

    static String buffer(Receipt.Buffer buffer) {
        String device = buffer.device();
        return device == null
                ? "host memory at " + buffer.address()
                : "%s: the CMB of %s at %s".formatted(buffer.kind(), device, buffer.address());
    }

    static String verification(Receipt.Verification v) {
        if (v.method().equals("none")) {
            return "none";
        }
        return v.result().equals("not run")
                ? v.method() + ": not run"
                : "%s: %s (%s)%s, %s"
                        .formatted(
                                v.method(),
                                v.result(),
                                v.granularity(),
                                v.controls() == 0 ? "" : ", " + v.controls() + " controls",
                                Sizes.seconds(v.seconds()));
    }

    static String hostData(Receipt r) {
        Long bytes = r.hostDataBytes();
        return bytes == null
                ? "not counted by this fabric"
                : String.format(Locale.ROOT, "%,d bytes crossed host memory", bytes);
    }

    private static String depth(Receipt.Tuning tuning) {
        int tries = tuning.tries().size();
        return "%d Reads at once".formatted(tuning.readDepth())
                + (tries == 0
                        ? ""
                        : "; slots found in %s by %d tries"
                                .formatted(Sizes.seconds(tuning.seconds()), tries));
    }

    private static String processor(Receipt r) {
        String time = Sizes.seconds(r.cpuSeconds());
        return r.bytesCopied() == 0
                ? time
                : time
                        + ", "
                        + Sizes.seconds(r.cpuSeconds() * (1L << 30) / r.bytesCopied())
                        + " for a GiB";
    }
}
