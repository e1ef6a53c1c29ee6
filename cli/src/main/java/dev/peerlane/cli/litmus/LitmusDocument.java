package dev.peerlane.cli.litmus;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.copy.Sides;
import dev.peerlane.cli.shared.ErrorDocument;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Leg;
import dev.peerlane.copy.Receipt;
import dev.peerlane.measure.LitmusCount;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The JSON document of {@code litmus}.
 *
 * @param head what all fences share, or null if planning did not finish
 * @param lines the counts
 * @param failure the error with which it ended, or null
 */
record LitmusDocument(
        @Nullable Head head, List<Counted> lines, @Nullable PeerlaneException failure) {
    private static final String SCHEMA = "peerlane.litmus/1";

    /** The values that all fences share. */
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

    /** The count of one fence. {@code refusal} is why no copy would use it, or null. */
    record Counted(LitmusCount count, @Nullable String refusal) {}

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

    private static ObjectNode line(Counted line) {
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
}
