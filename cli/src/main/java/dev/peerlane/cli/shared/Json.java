package dev.peerlane.cli.shared;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peerlane.cli.terminal.VisibleWriter;
import java.io.PrintWriter;

/** Writes documents as JSON. The components of a record are the fields, in order. */
public final class Json {
    private static final ObjectMapper MAPPER =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private Json() {}

    /** Prints one document. */
    public static void print(PrintWriter out, Object document) {
        try {
            out.print(VisibleWriter.json(MAPPER.writeValueAsString(document)));
            out.println();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
        out.flush();
    }

    /** Returns a document as a tree that can be extended. */
    public static ObjectNode tree(Record document) {
        return MAPPER.valueToTree(document);
    }

    /** Returns an empty object. */
    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }
}
