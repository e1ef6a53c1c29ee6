package dev.peerlane.planted;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Plants bugs one after the other and looks which test sees each: the sources stay as they are, a
 * changed copy is compiled into a scratch folder that comes first on the tests' class path. The
 * test that the table of docs/testing.md names runs first, then all the others.
 *
 * <p>Exit status 0: every bug applies, is seen, and by the test that the table names.
 */
final class Mutate {
    private static final String START = "<!-- planted: written by ./dev mutate -->\n";
    private static final String END = "<!-- end of planted -->";
    private static final String HEAD =
            "| bug | what is wrong | in | seen by |\n|---|---|---|---|\n";
    private static final String BASE = "dev.peerlane.";
    private static final String MISSED = "**missed**";

    private final Path root;
    private final TestRuns runs;
    private final Map<String, String> recorded;
    private final List<String> complaints = new ArrayList<>();

    private Mutate(Path root, Path scratch) throws IOException {
        this.root = root;
        runs = new TestRuns(root, scratch);
        recorded = recorded();
    }

    /** Arguments: {@code [--write] [--applies] [NUMBER...]}, in the root of the project. */
    public static void main(String[] args) throws IOException, InterruptedException {
        List<String> wanted = new ArrayList<>(List.of(args));
        boolean write = wanted.remove("--write");
        boolean applies = wanted.remove("--applies");
        Path root = Path.of("").toAbsolutePath();
        Mutate mutate = new Mutate(root, Files.createTempDirectory("planted"));
        List<PlantedBug> all = PlantedBug.all(root.resolve("tools/planted"));
        List<PlantedBug> chosen =
                all.stream().filter(b -> wanted.isEmpty() || wanted.contains(b.number())).toList();
        if (chosen.isEmpty()) {
            System.err.println("No planted bug has the number " + wanted + ": see tools/planted");
            System.exit(1);
        }
        if (applies) {
            mutate.apply(chosen);
        } else {
            mutate.run(all, chosen, write);
        }
        mutate.complaints.forEach(System.err::println);
        System.exit(mutate.complaints.isEmpty() ? 0 : 1);
    }

    private void apply(List<PlantedBug> chosen) throws IOException {
        for (PlantedBug bug : chosen) {
            planted(bug);
        }
        System.out.println(chosen.size() - complaints.size() + " of " + chosen.size() + " apply");
    }

    private String planted(PlantedBug bug) throws IOException {
        String text = Files.readString(root.resolve(bug.source()));
        try {
            return bug.plant(text);
        } catch (IOException e) {
            complaints.add(e.getMessage());
            return "";
        }
    }

    private void run(List<PlantedBug> all, List<PlantedBug> chosen, boolean write)
            throws IOException, InterruptedException {
        TreeSet<String> classes = new TreeSet<>();
        for (PlantedBug bug : chosen) {
            String test = recorded.getOrDefault(bug.number(), "");
            if (test.contains(".")) {
                classes.add(classOf(test));
            }
        }
        String without = classes.isEmpty() ? "" : runs.firstFailure(List.copyOf(classes));
        if (!without.isEmpty()) {
            complaints.add("Without any bug " + without + " fails: mend that first");
            return;
        }
        Map<String, String> found = new LinkedHashMap<>();
        int seen = 0;
        for (PlantedBug bug : chosen) {
            String by = seenBy(bug);
            System.out.printf("%-40s %s%n", bug.name(), by);
            found.put(bug.number(), by);
            seen += by.startsWith(BASE) ? 1 : 0;
            if (by.equals(MISSED)) {
                complaints.add(bug.name() + ": no test sees it");
            } else if (!write && !by.equals(recorded.get(bug.number()))) {
                complaints.add(
                        "%s: seen by %s; the table says %s: run ./dev mutate --write"
                                .formatted(bug.name(), by, recorded.get(bug.number())));
            }
        }
        System.out.printf("%d planted, %d seen%n", chosen.size(), seen);
        if (write) {
            write(all, found);
        }
    }

    private String seenBy(PlantedBug bug) throws IOException, InterruptedException {
        String text = planted(bug);
        if (text.isEmpty()) {
            return "does not apply";
        }
        String error = runs.compile(bug, text);
        if (!error.isEmpty()) {
            complaints.add(bug.name() + " does not compile: " + error);
            return "does not compile";
        }
        String known = recorded.getOrDefault(bug.number(), "");
        if (known.contains(".")) {
            String again = runs.firstFailure(List.of(classOf(known)));
            if (!again.isEmpty()) {
                return again.equals(known) ? known : again;
            }
        }
        String any = runs.firstFailureOfAll(bug);
        if (any.isEmpty()) {
            return MISSED;
        }
        runs.clean();
        String without = runs.firstFailure(List.of(classOf(any)));
        if (!without.isEmpty()) {
            complaints.add(bug.name() + ": " + without + " fails without it as well");
        }
        return any;
    }

    private static String classOf(String test) {
        return test.substring(0, test.lastIndexOf('.'));
    }

    private Path table() {
        return root.resolve("docs/testing.md");
    }

    private Map<String, String> recorded() throws IOException {
        Map<String, String> tests = new LinkedHashMap<>();
        String text = Files.readString(table());
        String rows = text.substring(text.indexOf(START) + START.length(), text.indexOf(END));
        for (String row : rows.substring(HEAD.length()).lines().toList()) {
            String[] cells = row.split(" \\| ", -1);
            String test = cells[3].replace(" |", "").replace("`", "");
            tests.put(cells[0].substring(2), test.contains(".") ? BASE + test : test);
        }
        return tests;
    }

    private void write(List<PlantedBug> all, Map<String, String> found) throws IOException {
        StringBuilder rows = new StringBuilder(HEAD);
        for (PlantedBug bug : all) {
            String number = bug.number();
            String by = found.getOrDefault(number, recorded.getOrDefault(number, "not run"));
            rows.append(
                    "| %s | %s | `%s` | %s |\n"
                            .formatted(
                                    number,
                                    bug.title(),
                                    bug.type(),
                                    by.startsWith(BASE)
                                            ? "`" + by.substring(BASE.length()) + "`"
                                            : by));
        }
        String text = Files.readString(table());
        Files.writeString(
                table(),
                text.substring(0, text.indexOf(START) + START.length())
                        + rows
                        + text.substring(text.indexOf(END)));
    }
}
