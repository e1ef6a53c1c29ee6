package dev.peerlane;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Reads the lists of arrows that ARCHITECTURE.md draws, in lines such as {@code hal → pci mem}. */
public final class DrawnArrows {
    private static final Path FILE = Path.of("..", "ARCHITECTURE.md");
    private static final String ARROW = " → ";

    private DrawnArrows() {}

    /**
     * Returns the first list of arrows below a line: each source with its sorted targets.
     *
     * @param line the beginning of that line
     */
    public static Map<String, Set<String>> below(String line) throws IOException {
        List<String> rest =
                Files.readAllLines(FILE).stream().dropWhile(l -> !l.startsWith(line)).toList();
        Map<String, Set<String>> arrows = new TreeMap<>();
        rest.stream()
                .dropWhile(l -> !isArrow(l))
                .takeWhile(DrawnArrows::isArrow)
                .forEach(l -> {
                    String[] sides = l.strip().split(ARROW, -1);
                    Set<String> targets = new TreeSet<>();
                    if (!sides[1].endsWith(" only")) {
                        targets.addAll(List.of(sides[1].split(" ", -1)));
                    }
                    arrows.put(sides[0], targets);
                });
        return arrows;
    }

    private static boolean isArrow(String line) {
        return line.startsWith("    ") && line.contains(ARROW);
    }
}
