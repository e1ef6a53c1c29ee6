package dev.peerlane.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The result of one run of a {@link Guest} that has powered off: the outcomes of its tests and the
 * images of its drives. Closing it deletes the images.
 */
public final class GuestRun implements AutoCloseable {
    private static final Pattern LINE =
            Pattern.compile("PEERLANE-TEST (\\S+) (BEGIN|PASS|FAIL) ?(.*)");

    private static final Pattern FILE = Pattern.compile("PEERLANE-FILE (\\S+) (\\S+)");

    private static final String UNFINISHED = "it began and did not end: its process died";

    /** The mark that the guest writes after all its steps. */
    static final String END = "PEERLANE-END";

    private final String name;
    private final List<String> lines;
    private final Map<String, Outcome> outcomes;
    private final Path folder;
    private final Map<String, Path> images;
    private final Path console;
    private final Path trace;

    /**
     * The outcome of a test.
     *
     * @param passed whether it passed
     * @param detail its message
     */
    public record Outcome(boolean passed, String detail) {}

    GuestRun(
            String name,
            List<String> lines,
            Path folder,
            Map<String, Path> images,
            Path console,
            Path trace) {
        this.name = name;
        this.lines = List.copyOf(lines);
        this.outcomes = read(lines);
        this.folder = folder;
        this.images = images;
        this.console = console;
        this.trace = trace;
    }

    /** Parses the outcomes of the tests. A test that began and did not end has failed. */
    static Map<String, Outcome> read(List<String> lines) {
        Map<String, Outcome> outcomes = new LinkedHashMap<>();
        for (String line : lines) {
            Matcher matcher = LINE.matcher(line.strip());
            if (!matcher.matches()) {
                continue;
            }
            String test = matcher.group(1);
            Outcome before = outcomes.get(test);
            if (before != null && !before.passed() && !before.detail().equals(UNFINISHED)) {
                continue; // a failure is final, whatever follows
            }
            boolean passed = matcher.group(2).equals("PASS");
            boolean begins = matcher.group(2).equals("BEGIN");
            outcomes.put(test, new Outcome(passed, begins ? UNFINISHED : matcher.group(3)));
        }
        return outcomes;
    }

    /**
     * Returns the message of a test that passed.
     *
     * @throws AssertionError if it failed or never ran
     */
    public String passed(String test) {
        Outcome outcome = outcomes.get(test);
        if (outcome == null) {
            throw new AssertionError(
                    "guest test %s of %s never ran; console: %s".formatted(test, name, console));
        }
        if (!outcome.passed()) {
            throw new AssertionError(
                    "guest test %s of %s failed: %s; console: %s"
                            .formatted(test, name, outcome.detail(), console));
        }
        return outcome.detail();
    }

    /** Returns the outcomes of all tests by name. */
    public Map<String, Outcome> outcomes() {
        return Map.copyOf(outcomes);
    }

    /**
     * Returns a file that a step sent out with {@code deliver}.
     *
     * @throws AssertionError if none of that name was sent
     */
    public byte[] file(String sent) {
        StringBuilder text = new StringBuilder();
        for (String line : lines) {
            Matcher matcher = FILE.matcher(line.strip());
            if (matcher.matches() && matcher.group(1).equals(sent)) {
                text.append(matcher.group(2));
            }
        }
        if (text.isEmpty()) {
            throw new AssertionError(
                    "guest %s sent no file %s; console: %s".formatted(name, sent, console));
        }
        return Base64.getDecoder().decode(text.toString());
    }

    /** Returns the image behind a drive. */
    public Path image(String drive) {
        Path image = images.get(drive);
        if (image == null) {
            throw new IllegalArgumentException("no drive " + drive + " among " + images.keySet());
        }
        return image;
    }

    /** Returns the file with the guest's console output, which is kept. */
    public Path console() {
        return console;
    }

    /** Returns the file with QEMU's trace, which is kept; empty if none was requested. */
    public Path trace() {
        return trace;
    }

    @Override
    public void close() {
        try {
            LabCache.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
