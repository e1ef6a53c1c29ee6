package dev.peerlane.cli.demo;

import dev.peerlane.cli.copy.CopyWords;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.copy.Leg;
import dev.peerlane.copy.Receipt;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.Function;

/** Prints the demo's two copies side by side. */
final class DemoView {
    private final Table table = new Table();
    private final Receipt peer;
    private final Receipt host;

    private DemoView(Receipt peer, Receipt host) {
        this.peer = peer;
        this.host = host;
    }

    static void print(PrintWriter out, DemoRun.Outcome outcome) {
        Receipt peer = outcome.peer().receipt();
        out.printf(
                "%s from one emulated SSD to another behind the same switch, copied twice.%n",
                Sizes.text(peer.bytesCopied()));
        out.println("  source  " + CopyWords.side(peer.source()));
        out.println("  target  " + CopyWords.side(peer.target()));
        out.println();
        new DemoView(peer, outcome.host().receipt()).table().print(out, "  ");
        out.println();
        out.println("  SHA-256 of the image files, read outside the copies:");
        new Table()
                .row("source", outcome.sourceSum())
                .row("target, peer to peer", sum(outcome, outcome.peer()))
                .row("target, host memory", sum(outcome, outcome.host()))
                .print(out, "    ");
        if (outcome.problem() == null) {
            out.println();
            out.println("Every byte arrived; no data byte of the first copy crossed host memory.");
        }
        out.flush();
    }

    private static String sum(DemoRun.Outcome outcome, DemoRun.Copied run) {
        boolean same = run.targetSum().equals(outcome.sourceSum());
        return run.targetSum() + (same ? "  the same" : "  DIFFERENT");
    }

    private Table table() {
        table.row("", "PEER TO PEER", "THROUGH HOST MEMORY");
        both("buffer", DemoView::buffer);
        both("bus address", r -> r.buffer() == null ? "-" : r.buffer().address());
        both("slots", r -> "%d of %s".formatted(r.slots(), Sizes.text(r.chunkBytes())));
        both("source's data", r -> way(r.route().getFirst()));
        both("target's data", r -> way(r.route().getLast()));
        both("fence", Receipt::fence);
        both("bytes copied", r -> count(r.bytesCopied()));
        both("data bytes in host memory", DemoView::hostData);
        both("verified by", r -> r.verify().method() + ": " + r.verify().result());
        both("time of the copy", r -> Sizes.seconds(r.seconds()));
        both("rate", r -> Sizes.rate(r.bytesPerSecond()));
        both("processor time", r -> Sizes.seconds(r.cpuSeconds()));
        both("time of the check", r -> Sizes.seconds(r.verify().seconds()));
        return table;
    }

    private void both(String label, Function<Receipt, String> of) {
        table.row(label, of.apply(peer), of.apply(host));
    }

    private static String buffer(Receipt r) {
        Receipt.Buffer buffer = r.buffer();
        if (buffer == null) {
            return "-";
        }
        return buffer.device() == null ? "host memory" : "CMB of " + buffer.device();
    }

    private static String way(Leg leg) {
        return (leg.direction().equals("write") ? "written: " : "read: ") + leg.verdict();
    }

    private static String hostData(Receipt r) {
        Long bytes = r.hostDataBytes();
        return bytes == null ? "not counted" : count(bytes);
    }

    private static String count(long bytes) {
        return String.format(Locale.ROOT, "%,d", bytes);
    }
}
