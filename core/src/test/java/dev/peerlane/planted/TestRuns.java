package dev.peerlane.planted;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Compiles one changed source into a scratch folder, and runs the modules' tests over it. */
final class TestRuns {
    /** How long one test may take; all of them take longer than that. */
    private static final int PATIENCE_MINUTES = 10;

    /** The modules with tests, each after those that it knows. */
    private static final List<String> MODULES =
            List.of("core", "fabrics", "measure", "cli", "simulation");

    private static final String CLASSES = "target/test-classes";

    private final Path root;
    private final Path scratch;
    private final Path changed;

    TestRuns(Path root, Path scratch) throws IOException {
        this.root = root;
        this.scratch = scratch;
        changed = Files.createDirectories(scratch.resolve("classes"));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(scratch)));
    }

    /** Returns the compiler's complaint, or nothing. */
    String compile(PlantedBug bug, String text) throws IOException {
        clean();
        Path source = scratch.resolve(bug.source().getFileName());
        Files.writeString(source, text);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean good =
                    compiler.getTask(
                                    said,
                                    files,
                                    null,
                                    List.of(
                                            "-proc:none",
                                            "-nowarn",
                                            "-d",
                                            changed.toString(),
                                            "-cp",
                                            classesSeenBy(bug)),
                                    null,
                                    files.getJavaFileObjects(source))
                            .call();
            return good ? "" : said.toString().lines().findFirst().orElse("it");
        }
    }

    private String classesSeenBy(PlantedBug bug) throws IOException {
        String module = moduleOf(bug);
        return String.join(
                ":",
                root.resolve(module).resolve("target/classes").toString(),
                root.resolve(module).resolve(CLASSES).toString(),
                root.resolve("core/target/classes").toString(),
                classPath(module));
    }

    /** Takes the changed classes away. */
    void clean() throws IOException {
        delete(changed);
        Files.createDirectories(changed);
    }

    /** Runs all tests that could see it, those of the changed class's package first. */
    String firstFailureOfAll(PlantedBug bug) throws IOException, InterruptedException {
        String type = bug.type();
        String module = moduleOf(bug);
        String home = type.contains(".") ? type.substring(0, type.indexOf('.')) : "";
        List<String> near = testsOf(module, home);
        String seen = near.isEmpty() ? "" : run(module, near);
        for (String each : MODULES.subList(MODULES.indexOf(module), MODULES.size())) {
            if (seen.isEmpty()) {
                seen = run(each, List.of(root.resolve(each).resolve(CLASSES).toString()));
            }
        }
        return seen;
    }

    private static String moduleOf(PlantedBug bug) {
        return bug.source().getName(0).toString();
    }

    /** Runs test classes; returns the test that fails first, or nothing. */
    String firstFailure(List<String> classes) throws IOException, InterruptedException {
        for (String module : MODULES) {
            List<String> here =
                    classes.stream().filter(c -> Files.exists(classFile(module, c))).toList();
            String seen = here.isEmpty() ? "" : run(module, here);
            if (!seen.isEmpty()) {
                return seen;
            }
        }
        return "";
    }

    private Path classFile(String module, String name) {
        return root.resolve(module).resolve(CLASSES).resolve(name.replace('.', '/') + ".class");
    }

    private List<String> testsOf(String module, String home) throws IOException {
        Path folder = root.resolve(module).resolve(CLASSES).resolve("dev/peerlane").resolve(home);
        String prefix = home.isEmpty() ? "dev.peerlane." : "dev.peerlane." + home + ".";
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(f -> f.endsWith("Test.class") && !f.contains("$"))
                    .sorted()
                    .map(f -> prefix + f.replace(".class", ""))
                    .toList();
        }
    }

    private String classPath(String module) throws IOException {
        return Files.readString(root.resolve(module).resolve("target/test.classpath")).strip();
    }

    private String run(String module, List<String> what) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-Xshare:auto",
                        "-Xmx3g",
                        "-XX:MaxDirectMemorySize=4g",
                        "-cp"));
        command.add(
                Stream.of(
                                        changed,
                                        root.resolve(module).resolve(CLASSES),
                                        root.resolve(module).resolve("target/classes"),
                                        root.resolve("core").resolve(CLASSES))
                                .map(Path::toString)
                                .reduce("", (a, b) -> a.isEmpty() ? b : a + ":" + b)
                        + ":"
                        + classPath(module)
                        + ":"
                        + classPath("core"));
        command.add(FirstFailure.class.getName());
        command.addAll(what);
        Path said = scratch.resolve("said");
        Process process =
                new ProcessBuilder(command)
                        .directory(root.resolve(module).toFile())
                        .redirectOutput(said.toFile())
                        .redirectError(scratch.resolve("errors").toFile())
                        .start();
        boolean ended = ends(process, said);
        process.destroyForcibly().waitFor();
        String last = "";
        try (BufferedReader reader = Files.newBufferedReader(said)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.startsWith(FirstFailure.FAILS)) {
                    return line.substring(FirstFailure.FAILS.length());
                }
                if (line.startsWith(FirstFailure.RUNS)) {
                    last = line.substring(FirstFailure.RUNS.length());
                }
            }
        }
        if (ended && process.exitValue() == 0) {
            return "";
        }
        if (last.isEmpty()) {
            throw new IOException(
                    "No test ran: " + Files.readString(scratch.resolve("errors")).strip());
        }
        return last; // it did not end, or took the virtual machine with it
    }

    /** Waits for its end, or until no further test has begun for long. */
    private static boolean ends(Process process, Path said)
            throws IOException, InterruptedException {
        long before = 0;
        int idleMinutes = 0;
        while (idleMinutes < PATIENCE_MINUTES) {
            if (process.waitFor(1, TimeUnit.MINUTES)) {
                return true;
            }
            long now = Files.size(said);
            idleMinutes = now == before ? idleMinutes + 1 : 0;
            before = now;
        }
        return false;
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
        } catch (IOException e) {
            System.err.println("left behind: " + folder);
        }
    }
}
