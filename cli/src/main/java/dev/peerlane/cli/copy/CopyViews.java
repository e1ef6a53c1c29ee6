package dev.peerlane.cli.copy;

import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.copy.Leg;
import dev.peerlane.copy.Receipt;
import dev.peerlane.hal.DmaFault;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** Plans and receipts as a person reads them. */
public final class CopyViews {
    private CopyViews() {}

    static void plan(PrintWriter out, PlanDocument document) {
        Receipt.Side from = document.source();
        Receipt.Side to = document.target();
        String carrier = document.buffer().device();
        Long free = document.buffer().freeBytes();
        String checker = document.verify().device();
        out.printf(
                "Would copy %s from %s to %s.%n",
                Sizes.text(document.bytes()), name(from), name(to));
        Table table =
                new Table()
                        .row("source", side(from))
                        .row("target", side(to) + ", to be overwritten")
                        .row(
                                "buffer",
                                carrier == null || free == null
                                        ? "host memory"
                                        : "%s: the CMB of %s, %s free"
                                                .formatted(
                                                        document.buffer().kind(),
                                                        carrier,
                                                        Sizes.text(free)))
                        .lines("route", document.route().stream().map(CopyViews::leg).toList())
                        .row("fence", fence(document.fence()))
                        .row(
                                "verify",
                                document.verify().method()
                                        + (checker == null ? "" : " over the CMB of " + checker))
                        .lines("buffers", document.reasons());
        table.print(out, "  ");
        out.println("Nothing was written.");
        out.flush();
    }

    public static void receipt(PrintWriter out, Receipt receipt) {
        out.println(summary(receipt));
        table(receipt)
                .row("queue depth", depth(receipt.tuning()))
                .row("processor", processor(receipt))
                .print(out, "  ");
        out.flush();
    }

    /** Returns what a copy did, in a sentence. */
    static String summary(Receipt receipt) {
        return receipt.result().equals("ok") ? done(receipt) : stopped(receipt);
    }

    private static String done(Receipt r) {
        String checked =
                r.verify().method().equals("none") ? ", not verified." : ", and verified it.";
        return "Copied %s from %s to %s in %s, %s%s"
                .formatted(
                        Sizes.text(r.bytesCopied()),
                        name(r.source()),
                        name(r.target()),
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
                    .formatted(Sizes.text(asked), name(r.source()), name(r.target()), checked);
        }
        return "Stopped after %s of %s from %s to %s."
                .formatted(
                        Sizes.text(r.bytesCopied()),
                        Sizes.text(asked),
                        name(r.source()),
                        name(r.target()));
    }

    /** All of a receipt but what differs from run to run. */
    public static Table table(Receipt r) {
        Table table = new Table().row("source", side(r.source())).row("target", side(r.target()));
        Receipt.Buffer buffer = r.buffer();
        if (buffer != null) {
            table.row("buffer", buffer(buffer) + slots(r));
        }
        table.lines("route", r.route().stream().map(CopyViews::leg).toList());
        table.row("fence", fence(r.fence()));
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

    /** What the fabric recorded of requests that did not get through: one line, or none. */
    public static List<String> faults(List<DmaFault> faults) {
        return faults.isEmpty()
                ? List.of()
                : List.of(
                        "%d requests of devices, or more, did not get through; the first: %s"
                                .formatted(faults.size(), faults.getFirst().words()));
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

    public static String leg(Leg leg) {
        String way = leg.direction().equals("write") ? " writes to " : " reads from ";
        if (leg.owner().equals("host")) {
            return leg.initiator() + way + "host memory";
        }
        String memory = leg.initiator().equals(leg.owner()) ? "its own CMB" : leg.owner();
        return leg.initiator() + way + memory + ": " + leg.verdict() + ", " + leg.reason();
    }

    static String fence(String fence) {
        return switch (fence) {
            case "sentinel" -> "sentinel: a canary shows that the source's writes have arrived";
            case "canary" ->
                    "canary: one in every page shows that the source's writes have arrived";
            case "readback" -> "readback: a load pushes the source's writes before it";
            default -> "none";
        };
    }

    public static String name(Receipt.Side side) {
        return side.locator() + "/n" + side.nsid();
    }

    public static String side(Receipt.Side s) {
        return "%s: %s, serial %s, %s of %d bytes"
                .formatted(name(s), s.model(), s.serial(), blocks(s), s.blockBytes());
    }

    public static String blocks(Receipt.Side s) {
        return "blocks %d to %d".formatted(s.slba(), s.slba() + s.blocks() - 1);
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
