package dev.peerlane.fabrics;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A value of a YAML document with its line number. Scalars stay text, so that {@code 1.4} can be a
 * version and {@code 4MiB} a size.
 */
sealed interface YamlNode {
    /** The maximum depth. Deeper documents are refused. */
    int MAX_DEPTH = 40;

    /** Returns the line on which the value begins, counted from 1. */
    int line();

    /** A text, a number, true or false. */
    record Scalar(String text, int line) implements YamlNode {}

    /** A sequence. */
    record Items(List<YamlNode> items, int line) implements YamlNode {}

    /** A mapping, in the order of the document. */
    record Entries(Map<String, YamlNode> entries, int line) implements YamlNode {}

    /** An error in a document, with its line. */
    final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;
        private final int line;

        Malformed(String message, int line) {
            super(message);
            this.line = line;
        }

        int line() {
            return line;
        }
    }

    /** Parses a document. An empty document is an empty mapping. */
    static YamlNode parse(String text) throws Malformed {
        try (YAMLParser parser = new YAMLFactory().createParser(text)) {
            if (parser.nextToken() == null) {
                return new Entries(Map.of(), 1);
            }
            YamlNode root = value(parser, 0);
            if (parser.nextToken() != null) {
                throw new Malformed("there is a second document", line(parser));
            }
            return root;
        } catch (JacksonException e) {
            int line = e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getLineNr());
            throw new Malformed("not YAML: " + e.getOriginalMessage(), line);
        } catch (IOException e) {
            throw new Malformed("not YAML: " + e.getMessage(), 1);
        }
    }

    private static YamlNode value(YAMLParser parser, int depth) throws IOException, Malformed {
        int line = line(parser);
        if (depth > MAX_DEPTH) {
            throw new Malformed("nested too deep", line);
        }
        if (parser.isCurrentAlias()) {
            throw new Malformed("aliases are not supported", line);
        }
        return switch (parser.currentToken()) {
            case START_OBJECT -> entries(parser, line, depth);
            case START_ARRAY -> {
                List<YamlNode> items = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    items.add(value(parser, depth + 1));
                }
                yield new Items(items, line);
            }
            case VALUE_NULL -> throw new Malformed("a value is missing", line);
            default -> new Scalar(parser.getText(), line);
        };
    }

    private static YamlNode entries(YAMLParser parser, int line, int depth)
            throws IOException, Malformed {
        Map<String, YamlNode> entries = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            int keyLine = line(parser);
            parser.nextToken();
            if (entries.put(key, value(parser, depth + 1)) != null) {
                throw new Malformed("key '" + key + "' appears twice", keyLine);
            }
        }
        return new Entries(entries, line);
    }

    private static int line(JsonParser parser) {
        return Math.max(1, parser.currentTokenLocation().getLineNr());
    }
}
