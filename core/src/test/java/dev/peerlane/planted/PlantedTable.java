package dev.peerlane.planted;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The table of {@code docs/planted-bugs.md}: which test sees each planted bug. A bug that no test
 * saw once is told as such for good, also when there is one that sees it.
 */
final class PlantedTable {
    /** What stands for the test of a bug that none sees. */
    static final String MISSED = "**missed**";

    /** What stands for the test of a bug that was not planted yet. */
    static final String NOT_RUN = "not run";

    private static final String START = "<!-- planted: written by ./dev mutate -->\n";
    private static final String END = "<!-- end of planted -->";
    private static final String HEAD =
            "| bug | what is wrong | in | seen by |\n|---|---|---|---|\n";
    private static final String BASE = "dev.peerlane.";
    private static final String MISSED_AT_FIRST = ", missed at first";

    private final String before;
    private final String after;
    private final Map<String, String> tests = new LinkedHashMap<>();
    private final Set<String> missed = new HashSet<>();

    /** Reads it out of the document. */
    PlantedTable(String text) {
        int start = text.indexOf(START) + START.length();
        int end = text.indexOf(END);
        before = text.substring(0, start);
        after = text.substring(end);
        String rows = text.substring(start, end);
        for (String row : rows.substring(HEAD.length()).lines().toList()) {
            String[] cells = row.split(" \\| ", -1);
            String seen = cells[3].replace(" |", "").replace("`", "");
            String number = cells[0].substring(2);
            if (seen.equals(MISSED) || seen.endsWith(MISSED_AT_FIRST)) {
                missed.add(number);
            }
            String test = seen.replace(MISSED_AT_FIRST, "");
            tests.put(number, test.contains(".") ? BASE + test : test);
        }
    }

    /** Returns whether what a bug is seen by is a test. */
    static boolean isTest(String by) {
        return by.startsWith(BASE);
    }

    /** Returns the test that sees a bug, or what stands for it. */
    String seenBy(String number) {
        return tests.getOrDefault(number, NOT_RUN);
    }

    /** Returns the document with these bugs, and what was found of them now. */
    String with(List<PlantedBug> all, Map<String, String> found) {
        StringBuilder rows = new StringBuilder(HEAD);
        for (PlantedBug bug : all) {
            String number = bug.number();
            String by = found.getOrDefault(number, seenBy(number));
            if (isTest(by)) {
                by = "`" + by.substring(BASE.length()) + "`";
                by += missed.contains(number) ? MISSED_AT_FIRST : "";
            }
            rows.append("| %s | %s | `%s` | %s |\n".formatted(number, bug.title(), bug.type(), by));
        }
        return before + rows + after;
    }
}
