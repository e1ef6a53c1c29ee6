package dev.peerlane.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.runner.RunnerException;

/**
 * Measures everything here. {@code --short} takes a few samples of each, and fails if anything was
 * allocated for an I/O; it never fails on a time. Runs in the project's root folder.
 */
final class Main {
    /** What a benchmark may allocate for a command: less than one byte is somebody else's. */
    private static final double MOST_BYTES = 0.5;

    private Main() {}

    public static void main(String[] args) throws IOException, RunnerException {
        boolean brief = args.length == 1 && args[0].equals("--short");
        if (args.length > 0 && !brief) {
            System.err.println("usage: dev bench [--short]");
            System.exit(1);
        }
        List<JmhSet.Line> jmh = JmhSet.run(brief);
        boolean allocates = false;
        for (JmhSet.Line line : jmh) {
            System.out.printf(
                    Locale.ROOT,
                    "%-28s %-12s %8.2f ns ± %6.2f  %8.4f bytes allocated%n",
                    line.benchmark(),
                    line.parameters(),
                    line.nanos(),
                    line.error(),
                    line.bytes());
            allocates |= line.bytes() > MOST_BYTES;
        }
        List<Integer> cores = Machine.cores();
        CPrograms programs =
                CPrograms.compile(Path.of("bench", "src", "main", "c"), Path.of("bench/target/c"));
        DriverCost cost =
                new DriverCost(
                        programs, cores.getLast(), brief ? 3 : 15, brief ? 320_000 : 6_400_000);
        for (DriverCost.Line line : cost.measure()) {
            System.out.printf(
                    Locale.ROOT,
                    "batch %2d  %-10s %-26s ns  Java/this %-22s  %s instructions%n",
                    line.batch(),
                    line.program(),
                    line.nanos().text(),
                    line.ratio().text(),
                    line.instructions().isPresent()
                            ? "%.0f".formatted(line.instructions().getAsDouble())
                            : "?");
        }
        if (allocates) {
            System.err.println("A benchmark allocated for an I/O.");
            System.exit(4);
        }
    }
}
