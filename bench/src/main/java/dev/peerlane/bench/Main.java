package dev.peerlane.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.runner.RunnerException;

/**
 * Runs all benchmarks. {@code --short} takes few samples and fails if an I/O allocates memory, but
 * never because of a time. Runs in the project's root directory.
 */
final class Main {
    /**
     * The most bytes that a benchmark may allocate per command; less than one byte comes from other
     * code.
     */
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
        List<DriverCost.Line> driver = cost.measure();
        for (DriverCost.Line line : driver) {
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
        List<DriverCost.Line> forms = cost.measureForms();
        for (DriverCost.Line line : forms) {
            System.out.printf(
                    Locale.ROOT,
                    "batch %2d  %-30s %-26s ns%n",
                    line.batch(),
                    line.program(),
                    line.nanos().text());
        }
        EmulatorCost emulator =
                new EmulatorCost(cores.getLast(), brief ? 3 : 9, brief ? 256 << 20 : 1 << 30);
        List<EmulatorCost.Line> emulated = emulator.measure();
        for (EmulatorCost.Line line : emulated) {
            System.out.printf(
                    Locale.ROOT,
                    "emulated %-5s of %3d KiB  %-32s ns  to bare copies %s%n",
                    line.command(),
                    line.bytes() >> 10,
                    line.emulated().text(),
                    line.ratio().text());
        }
        List<EmulatorCost.Copied> copies = emulator.copies();
        for (EmulatorCost.Copied line : copies) {
            System.out.printf(
                    Locale.ROOT,
                    "copy by %3d KiB  %-28s ms a GiB  to the sum of its parts %s%n",
                    line.bytes() >> 10,
                    line.copy().text(),
                    line.ratio().text());
        }
        List<ServedCost.Line> served = served(cores, brief);
        for (ServedCost.Line line : served) {
            System.out.printf(
                    Locale.ROOT,
                    "served, %-28s %.2f million reads a second%n",
                    line.measured().text(),
                    line.perSecond().median() / 1e6);
        }
        if (!brief) {
            Report.write(
                    Path.of("docs"),
                    new Report.Figures(driver, forms, jmh, served, emulated, copies));
            System.out.println("docs/performance.md");
        }
        if (allocates) {
            System.err.println("A benchmark allocated for an I/O.");
            System.exit(4);
        }
    }

    private static List<ServedCost.Line> served(List<Integer> cores, boolean brief)
            throws IOException {
        if (cores.size() < 2) {
            System.err.println("The served drive is not measured: that takes two cores.");
            return List.of();
        }
        return ServedCost.measure(
                cores.get(cores.size() - 2),
                cores.getLast(),
                brief ? 1 : 9,
                brief ? 100_000 : 2_000_000);
    }
}
