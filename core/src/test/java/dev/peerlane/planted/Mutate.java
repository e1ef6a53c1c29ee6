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
 * test that the table of docs/planted-bugs.md names runs first, then all the others.
 *
 * <p>Exit status 0: every bug applies, is seen, and by the test that the table names.
 */
final class Mutate {
    private final Path root;
    private final TestRuns runs;
    private final PlantedTable recorded;
    private final List<String> complaints = new ArrayList<>();

    private Mutate(Path root, Path scratch) throws IOException {
        this.root = root;
        runs = new TestRuns(root, scratch);
        recorded = new PlantedTable(Files.readString(table()));
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
            String test = recorded.seenBy(bug.number());
            if (PlantedTable.isTest(test)) {
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
            seen += PlantedTable.isTest(by) ? 1 : 0;
            if (by.equals(PlantedTable.MISSED)) {
                complaints.add(bug.name() + ": no test sees it");
            } else if (!write && !by.equals(recorded.seenBy(bug.number()))) {
                complaints.add(
                        "%s: seen by %s; the table says %s: run ./dev mutate --write"
                                .formatted(bug.name(), by, recorded.seenBy(bug.number())));
            }
        }
        System.out.printf("%d planted, %d seen%n", chosen.size(), seen);
        if (write) {
            Files.writeString(table(), recorded.with(all, found));
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
        String known = recorded.seenBy(bug.number());
        if (PlantedTable.isTest(known)) {
            String again = runs.firstFailure(List.of(classOf(known)));
            if (!again.isEmpty()) {
                return again;
            }
        }
        String any = runs.firstFailureOfAll(bug);
        if (any.isEmpty()) {
            return PlantedTable.MISSED;
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
        return root.resolve("docs/planted-bugs.md");
    }
}
