package dev.peerlane.planted;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A bug to plant, from a file of {@code tools/planted}: a sentence that says what is wrong, {@code
 * file:} with a source, and pairs of {@code find:} and {@code put:}. White space does not count
 * when it is looked for, so lines may move and be broken otherwise; the text must be there exactly
 * once. What is behind it stays on its line, which some tests know.
 *
 * @param name number and short name: the file's
 * @param title what is wrong
 * @param source the source file, from the root of the project
 * @param changes what to put in the place of what
 */
record PlantedBug(String name, String title, Path source, List<Change> changes) {
    record Change(String find, String put) {}

    static List<PlantedBug> all(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<PlantedBug> bugs = new ArrayList<>();
            for (Path file : files.sorted().toList()) {
                bugs.add(parse(file));
            }
            return bugs;
        }
    }

    private static PlantedBug parse(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        String name = file.getFileName().toString().replace(".txt", "");
        if (lines.size() < 6 || !lines.get(1).startsWith("file: ")) {
            throw new IOException(file + ": wants a sentence, \"file: SOURCE\", find: and put:");
        }
        List<Change> changes = new ArrayList<>();
        StringBuilder find = new StringBuilder();
        StringBuilder put = new StringBuilder();
        StringBuilder into = find;
        for (String line : lines.subList(3, lines.size())) {
            if (line.equals("put:")) {
                into = put;
            } else if (line.equals("find:")) {
                changes.add(new Change(find.toString(), put.toString()));
                find.setLength(0);
                put.setLength(0);
                into = find;
            } else {
                into.append(line).append('\n');
            }
        }
        changes.add(new Change(find.toString(), put.toString()));
        Path source = Path.of(lines.get(1).substring("file: ".length()).strip());
        return new PlantedBug(name, lines.getFirst(), source, List.copyOf(changes));
    }

    /** Returns the number at the start of its name. */
    String number() {
        return name.substring(0, name.indexOf('-'));
    }

    /** Returns the name of its class, from the base package on. */
    String type() {
        String path = source.toString().replace('/', '.');
        return path.substring(path.indexOf("peerlane.") + "peerlane.".length())
                .replace(".java", "");
    }

    /**
     * Plants it.
     *
     * @param text of its source
     * @throws IOException if it does not apply any more
     */
    String plant(String text) throws IOException {
        String planted = text;
        for (Change change : changes) {
            planted = replace(planted, change);
        }
        return planted;
    }

    private String replace(String text, Change change) throws IOException {
        StringBuilder dense = new StringBuilder();
        int[] at = new int[text.length()];
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isWhitespace(text.charAt(i))) {
                at[dense.length()] = i;
                dense.append(text.charAt(i));
            }
        }
        String find = change.find().replaceAll("\\s", "");
        int first = dense.indexOf(find);
        if (find.isEmpty() || first < 0 || dense.indexOf(find, first + 1) >= 0) {
            throw new IOException(
                    "%s does not apply: %s has %s of: %s"
                            .formatted(
                                    name, source, first < 0 ? "none" : "several", change.find()));
        }
        int start = at[first];
        int end = at[first + find.length() - 1] + 1;
        return text.substring(0, start)
                + change.put().strip().replace('\n', ' ')
                + "\n".repeat(lineBreaks(text.substring(start, end)))
                + text.substring(end);
    }

    private static int lineBreaks(String text) {
        return (int) text.chars().filter(c -> c == '\n').count();
    }
}
