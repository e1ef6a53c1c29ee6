package dev.peerlane.cli.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.ErrorDocument;
import dev.peerlane.cli.shared.Json;

/** The JSON document of {@code demo}. */
final class DemoDocument {
    private static final String SCHEMA = "peerlane.demo/1";

    private DemoDocument() {}

    /**
     * Returns the receipt of the copy through the CMB, extended by the results of the other checks.
     */
    static ObjectNode of(DemoRun.Outcome outcome) {
        ObjectNode document = Json.tree(outcome.peer().receipt());
        PeerlaneException problem = outcome.problem();
        document.put("schema", SCHEMA);
        if (problem != null) {
            document.put("result", "failed");
            document.set("error", Json.tree(ErrorDocument.failure(problem)));
        }
        ObjectNode sums = document.putObject("checksums");
        sums.put("algorithm", DemoRun.ALGORITHM);
        sums.put("source", outcome.sourceSum());
        sums.put("target", outcome.peer().targetSum());
        sums.put("targetThroughHost", outcome.host().targetSum());
        document.set("throughHost", Json.tree(outcome.host().receipt()));
        return document;
    }
}
