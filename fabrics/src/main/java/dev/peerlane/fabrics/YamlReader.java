package dev.peerlane.fabrics;

import dev.peerlane.PeerlaneException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads one mapping of a fabric file strictly. A key that is not allowed, or a value of the wrong
 * type, is an error that names file, line, key and remedy.
 */
final class YamlReader {
    private static final Pattern SIZE =
            Pattern.compile("(\\d{1,18})\\s*(KiB|MiB|GiB|TiB|PiB|EiB)?");

    private final String file;
    private final int line;
    private final Map<String, YamlNode> entries;

    private YamlReader(String file, YamlNode.Entries node) {
        this.file = file;
        this.line = node.line();
        this.entries = node.entries();
    }

    /** Creates a reader for a node that must be a mapping. */
    static YamlReader of(String file, String what, YamlNode node) {
        if (node instanceof YamlNode.Entries mapping) {
            return new YamlReader(file, mapping);
        }
        throw error(file, node.line(), what + " is no mapping", "Write it as keys and values");
    }

    /** Refuses all keys except these. */
    YamlReader allow(String... keys) {
        List<String> allowed = Arrays.asList(keys);
        entries.forEach((key, value) -> {
            if (!allowed.contains(key)) {
                throw error(
                        file,
                        value.line(),
                        "unknown key '" + key + "'",
                        "Use one of " + String.join(", ", allowed));
            }
        });
        return this;
    }

    boolean has(String key) {
        return entries.containsKey(key);
    }

    /** Creates an error at the line of this mapping. */
    PeerlaneException error(String message, String remedy) {
        return error(file, line, message, remedy);
    }

    /** Calls a function that may refuse a value, and adds file and line to the refusal. */
    <T> T located(Function<YamlReader, T> make) {
        try {
            return make.apply(this);
        } catch (PeerlaneException e) {
            if (e.code().equals(CODE)) {
                throw e;
            }
            throw new PeerlaneException(
                    e.category(), CODE, at(file, line) + e.getMessage(), e.remedy(), e);
        }
    }

    String text(String key) {
        String value = textOrNull(key);
        if (value == null) {
            throw error("'" + key + "' is missing", "Add it");
        }
        return value;
    }

    @Nullable String textOrNull(String key) {
        YamlNode node = entries.get(key);
        return node == null ? null : scalar(key, node);
    }

    boolean bool(String key, boolean otherwise) {
        String text = textOrNull(key);
        if (text == null) {
            return otherwise;
        }
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw wrong(key, text, "Write true or false");
        };
    }

    int integer(String key, int otherwise) {
        return Math.toIntExact(number(key, otherwise, Integer.MIN_VALUE, Integer.MAX_VALUE));
    }

    long number(String key, long otherwise, long min, long max) {
        String text = textOrNull(key);
        if (text == null) {
            return otherwise;
        }
        try {
            long value = Long.decode(text);
            if (value >= min && value <= max) {
                return value;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw wrong(key, text, "Write a whole number from " + min + " to " + max);
    }

    /** Returns a size in bytes: a number, optionally with a unit from KiB to EiB. */
    long size(String key, long otherwise) {
        String text = textOrNull(key);
        if (text == null) {
            return otherwise;
        }
        Matcher parts = SIZE.matcher(text);
        if (parts.matches()) {
            int shift =
                    parts.group(2) == null
                            ? 0
                            : 10 * (1 + "KMGTPE".indexOf(parts.group(2).charAt(0)));
            long value = Long.parseLong(parts.group(1));
            if (value <= Long.MAX_VALUE >>> shift) {
                return value << shift;
            }
        }
        throw wrong(
                key, text, "Write bytes, or a number with a unit from KiB to EiB, such as 4MiB");
    }

    /** Returns a constant of an enum, written in lower case with dashes. */
    <E extends Enum<E>> E choice(String key, E otherwise) {
        String text = textOrNull(key);
        if (text == null) {
            return otherwise;
        }
        List<String> names = new ArrayList<>();
        for (E candidate : otherwise.getDeclaringClass().getEnumConstants()) {
            String name = candidate.name().toLowerCase(Locale.ROOT).replace('_', '-');
            if (name.equals(text)) {
                return candidate;
            }
            names.add(name);
        }
        throw wrong(key, text, "Use one of " + String.join(", ", names));
    }

    /** Returns the nested mapping, or null. */
    @Nullable YamlReader mapping(String key) {
        YamlNode node = entries.get(key);
        return node == null ? null : of(file, "'" + key + "'", node);
    }

    /** Returns the nested mappings of a sequence. Empty if the key is missing. */
    List<YamlReader> mappings(String key) {
        List<YamlReader> readers = new ArrayList<>();
        for (YamlNode item : items(key)) {
            readers.add(of(file, "an item of '" + key + "'", item));
        }
        return readers;
    }

    /** Returns the texts of a nested sequence, or a single text. Empty if the key is missing. */
    List<String> texts(String key) {
        if (entries.get(key) instanceof YamlNode.Scalar scalar) {
            return List.of(scalar.text());
        }
        List<String> texts = new ArrayList<>();
        for (YamlNode item : items(key)) {
            texts.add(scalar(key, item));
        }
        return texts;
    }

    /** Creates the error for a value that its key does not accept. */
    PeerlaneException wrong(String key, String value, String remedy) {
        YamlNode node = entries.get(key);
        return error(
                file, node == null ? line : node.line(), "'" + value + "' is no " + key, remedy);
    }

    private List<YamlNode> items(String key) {
        YamlNode node = entries.get(key);
        if (node == null) {
            return List.of();
        }
        if (node instanceof YamlNode.Items items) {
            return items.items();
        }
        throw error(file, node.line(), "'" + key + "' is no list", "Write it with - or [ ]");
    }

    private String scalar(String key, YamlNode node) {
        if (node instanceof YamlNode.Scalar scalar) {
            return scalar.text();
        }
        throw error(file, node.line(), "'" + key + "' is no single value", "Write one value");
    }

    private static final String CODE = "bad-fabric-file";

    static PeerlaneException error(String file, int line, String message, String remedy) {
        return PeerlaneException.request(CODE, at(file, line) + message, remedy);
    }

    private static String at(String file, int line) {
        return "fabric file " + file + ", line " + line + ": ";
    }
}
