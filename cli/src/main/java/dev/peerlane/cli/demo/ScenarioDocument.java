package dev.peerlane.cli.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.copy.ReceiptDocument;
import dev.peerlane.cli.demo.ScenarioRun.Attempt;
import dev.peerlane.cli.demo.ScenarioRun.Outcome;
import dev.peerlane.cli.doctor.DoctorDocument;
import dev.peerlane.cli.shared.ErrorDocument;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.copy.Receipt;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** The JSON document of a scenario. */
final class ScenarioDocument {
    private static final String SCHEMA = "peerlane.scenario/1";

    private ScenarioDocument() {}

    /** All scenarios. */
    record Scenarios(String schema, List<Named> scenarios) {
        /** One of them. */
        record Named(String name, String title) {}

        static Scenarios of() {
            return new Scenarios(
                    "peerlane.scenarios/1",
                    Arrays.stream(Scenario.values())
                            .map(s -> new Named(s.label(), s.title()))
                            .toList());
        }
    }

    static ObjectNode of(Outcome o) {
        ObjectNode document = Json.object();
        PeerlaneException problem = o.problem();
        document.put("schema", SCHEMA);
        document.put("result", problem == null ? "ok" : "failed");
        document.put("scenario", o.scenario().label());
        document.put("title", o.scenario().title());
        document.put("seed", o.seed());
        document.put("fabric", o.fabric());
        document.set("unguarded", attempt(o.unguarded()));
        document.set("doctor", Json.tree(DoctorDocument.of(o.doctor())));
        ArrayNode copies = document.putArray("copies");
        o.guarded().forEach(each -> copies.add(attempt(each)));
        if (problem == null) {
            document.putNull("error");
        } else {
            document.set("error", Json.tree(ErrorDocument.failure(problem)));
        }
        return document;
    }

    private static ObjectNode attempt(Attempt attempt) {
        ObjectNode node = Json.object();
        node.put("asked", attempt.label());
        node.set("damage", Json.tree(attempt.damage()));
        Receipt receipt = attempt.receipt();
        PeerlaneException refusal = attempt.refusal();
        ObjectNode shown =
                receipt == null
                        ? ReceiptDocument.refusal(
                                ScenarioRun.SOURCE,
                                ScenarioRun.TARGET,
                                Objects.requireNonNull(refusal))
                        : Json.tree(receipt);
        // the only figure that differs from run to run
        shown.putNull("cpuSeconds");
        node.set("receipt", shown);
        return node;
    }
}
