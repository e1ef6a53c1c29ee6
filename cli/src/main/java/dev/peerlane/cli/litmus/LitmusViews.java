package dev.peerlane.cli.litmus;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.copy.CopyViews;
import dev.peerlane.cli.copy.Sides;
import dev.peerlane.cli.shared.ErrorDocument;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Leg;
import dev.peerlane.copy.Receipt;
import dev.peerlane.measure.LitmusCount;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Counts of stale hand-offs, as text and as a document. */
final class LitmusViews {
    static final String SCHEMA = "peerlane.litmus/1";

    private LitmusViews() {}

    /** What all fences have in common. */
    record Head(
            Receipt.Side source,
            Receipt.Side target,
            String kind,
            @Nullable String device,
            List<Leg> route,
            int chunkBytes,
            int slots,
            long seed) {
        static Head of(CopyPlan plan, long seed) {
            return of(plan, seed, 0, 0);
        }

        static Head of(CopyPlan plan, long seed, int chunkBytes, int slots) {
            return new Head(
                    Sides.source(plan.request()),
                    Sides.target(plan.request()),
                    plan.kind().label(),
                    plan.buffer() == null ? null : plan.buffer().locator(),
                    plan.legs(),
                    chunkBytes,
                    slots,
                    seed);
        }
    }

    /** One fence, and why no copy would be planned with it; null if one would. */
    record Line(LitmusCount count, @Nullable String refusal) {}

    /** All of it. */
    record Document(@Nullable Head head, List<Line> lines, @Nullable PeerlaneException failure) {

        ObjectNode tree(String source, String target) {
            ObjectNode tree = Json.object();
            tree.put("schema", SCHEMA);
            tree.put("result", result());
            Head h = head;
            if (h == null) {
                tree.putObject("source").put("locator", source);
                tree.putObject("target").put("locator", target);
            } else {
                tree.set("source", Json.tree(h.source()));
                tree.set("target", Json.tree(h.target()));
                tree.putObject("buffer").put("kind", h.kind()).put("device", h.device());
                ArrayNode route = tree.putArray("route");
                h.route().forEach(leg -> route.add(Json.tree(leg)));
                tree.put("chunkBytes", h.chunkBytes());
                tree.put("slots", h.slots());
                tree.put("seed", h.seed());
            }
            ArrayNode fences = tree.putArray("fences");
            lines.forEach(line -> fences.add(line(line)));
            PeerlaneException e = failure;
            if (e == null) {
                tree.putNull("error");
            } else {
                tree.set("error", Json.tree(ErrorDocument.failure(e)));
            }
            return tree;
        }

        private String result() {
            if (failure == null) {
                return "ok";
            }
            return switch (failure.category()) {
                case REFUSED -> "refused";
                case INTERRUPTED -> "interrupted";
                default -> failure.code().equals("stale-handoff") ? "stale" : "failed";
            };
        }

        private static ObjectNode line(Line line) {
            LitmusCount count = line.count();
            ObjectNode node = Json.object();
            node.put("fence", count.fence());
            node.put("planned", line.refusal() == null);
            node.put("refusal", line.refusal());
            node.put("handOffs", count.handOffs());
            node.put("uncounted", count.uncounted());
            node.put("stale", count.stale());
            node.put("upperBound95", count.upperBound());
            node.put("seconds", count.seconds());
            PeerlaneException e = count.stopped();
            node.put("error", e == null ? null : e.code());
            return node;
        }

        void print(PrintWriter out) {
            Head h = Objects.requireNonNull(head);
            out.printf(
                    "%s Reads into %s; %s Compares each slot when the fence hands it on.%n",
                    CopyViews.name(h.source()),
                    h.device() == null ? "host memory" : "the CMB of " + h.device(),
                    CopyViews.name(h.target()));
            new Table()
                    .row("slots", "%d of %s".formatted(h.slots(), Sizes.text(h.chunkBytes())))
                    .lines("route", h.route().stream().map(CopyViews::leg).toList())
                    .row("scratch", scratch(h.source()))
                    .row("", scratch(h.target()))
                    .row("seed", "" + h.seed())
                    .print(out, "  ");
            out.println();
            Table table =
                    new Table().row("FENCE", "HAND-OFFS", "STALE", "AT MOST (95 %)", "IN A COPY");
            for (Line line : lines) {
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
    }

    /** The scratch range of one side, with its owner. */
    static String scratch(Receipt.Side side) {
        return "%s (%s, serial %s): %s of %d bytes"
                .formatted(
                        CopyViews.name(side),
                        side.model(),
                        side.serial(),
                        CopyViews.blocks(side),
                        side.blockBytes());
    }
}
