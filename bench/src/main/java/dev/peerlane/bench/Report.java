package dev.peerlane.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** Writes docs/performance.md and its charts. */
final class Report {
    private static final double MILLION = 1e6;
    private static final double GB = 1e9;

    private final StringBuilder text = new StringBuilder();

    private Report() {}

    /**
     * All that was measured.
     *
     * @param served empty where there was one core only
     */
    record Figures(
            List<DriverCost.Line> driver,
            List<DriverCost.Line> forms,
            List<JmhSet.Line> jmh,
            List<ServedCost.Line> served,
            List<EmulatorCost.Line> emulated,
            List<EmulatorCost.Copied> copies) {}

    /** Writes the page into a folder. */
    static void write(Path docs, Figures figures) throws IOException {
        Report report = new Report();
        report.head();
        report.driver(figures.driver());
        report.forms(figures.forms());
        report.jmh(figures.jmh());
        report.served(figures.served());
        report.emulated(figures.emulated());
        report.copies(figures.copies());
        Files.writeString(docs.resolve("performance.md"), report.text.toString());
        Charts.write(
                Charts.driver(figures.driver()), docs.resolve("performance-driver.svg"), false);
        if (!figures.served().isEmpty()) {
            Charts.write(
                    Charts.served(figures.served()), docs.resolve("performance-served.svg"), false);
        }
    }

    private void head() throws IOException {
        text.append(
                """
                # Performance

                Written by `./dev bench`; run it to have the figures of your machine here. Times depend on the machine and what else it does: what is worth comparing are
                ratios, which come from one run, and bytes allocated. A figure in brackets is the first to the third quartile.

                """);
        line("| | |");
        line("|---|---|");
        line("| processor | %s, %d cores used |", Machine.processor(), Machine.cores().size());
        line("| system | %s |", Machine.kernel());
        line(
                "| Java | %s, serial collector, heap of 1 GiB at most, as `./peerlane` has it |",
                Runtime.version());
        line("| C | `%s` (%s) |", String.join(" ", CPrograms.FLAGS), compiler());
        line("| load before the run's end | %s |", Machine.load());
        line("");
    }

    private static String compiler() throws IOException {
        return Machine.run(List.of("gcc", "-dumpfullversion"));
    }

    private void driver(List<DriverCost.Line> lines) {
        text.append(
                """
                ## The driver's own cost

                Submit, ring and poll of 4 KiB reads, on a device that costs nothing: the same thread reads the doorbell, which is memory, and writes the completions. The driver is the
                real one (`NvmeBlockPort`, `QueuePair`), brought up on an emulated controller. Beside it the same in C, in `bench/src/main/c/driver.c`: a 64-byte entry with
                PRPs, completions found by phase tag and identifier, both doorbells, a callback for each completion. "C, checks" also makes the checks of the Java driver: slot and block range, one
                command a slot, a sequence number in the identifier, queue and head in the completion, the queue's thread, a queue that a callback ends: that is the same work, at most 1.4 times
                as long in Java being the goal, and the C without shows what the checks cost. All three run on one core, a sample of each in turn; a ratio is the median of the ratios of neighbours.
                The device's part is in all of them. Instructions are exact: a thread is stepped through 200,000 of them, between two changes of
                the doorbell.

                ![Time for a command](performance-driver.svg)

                """);
        line(
                "| commands to a doorbell | program | ns a command | Java's time to this | instructions |");
        line("|---|---|---|---|---|");
        for (DriverCost.Line one : lines) {
            line(
                    "| %d | %s | %s | %s | %s |",
                    one.batch(),
                    one.program(),
                    one.nanos().text(),
                    one.ratio().text(),
                    whole(one.instructions()));
        }
        line("");
    }

    private void forms(List<DriverCost.Line> lines) {
        text.append(
                """
                ## What describes the data, and who is told

                The same loop in Java alone, interleaved: reads whose data is one page, a PRP list or an SGL, and doorbells in memory (shadow doorbells, whose fence is in it; the device looks
                there and does not ask for the register).

                """);
        line("| commands to a doorbell | form | ns a command | time of the first to this |");
        line("|---|---|---|---|");
        for (DriverCost.Line one : lines) {
            line(
                    "| %d | %s | %s | %s |",
                    one.batch(), one.program(), one.nanos().text(), one.ratio().text());
        }
        line("");
    }

    private static String whole(OptionalDouble value) {
        return value.isPresent()
                ? String.format(Locale.ROOT, "%.0f", value.getAsDouble())
                : "not counted";
    }

    private void jmh(List<JmhSet.Line> lines) {
        text.append(
                """
                ## JMH

                The same by JMH, with its profiler of allocations. `./dev check` runs this set in a short form and fails if a command allocates half a byte or more.

                """);
        line("| benchmark | parameters | ns a command | bytes allocated |");
        line("|---|---|---|---|");
        for (JmhSet.Line one : lines) {
            line(
                    "| %s | %s | %.2f ± %.2f | %.3f |",
                    one.benchmark(), one.parameters(), one.nanos(), one.error(), one.bytes());
        }
        line("");
    }

    private void served(List<ServedCost.Line> lines) {
        text.append(
                """
                ## A drive in another process

                Random reads of a drive that `peerlane serve`'s server offers over vfio-user and whose namespace keeps nothing (`discards: true`): entries, completions, doorbells and
                PRP lists or SGLs are real, data is not moved. One core for the server, one for the driver. So the last column is what the commands would move, not a memory's
                bandwidth. The drive of the lines with `memory` has a medium of 256 MiB in memory and moves its data into memory of the driver's process: what that costs at least are the bare
                copies of the next table.

                """);
        if (lines.isEmpty()) {
            line("Not measured: this machine lent one core only.");
            return;
        }
        line("![Reads a second](performance-served.svg)");
        line("");
        line("| reads | million a second | ns a read | GB/s |");
        line("|---|---|---|---|");
        for (ServedCost.Line one : lines) {
            Spread s = one.perSecond();
            Spread millions =
                    new Spread(s.low() / MILLION, s.median() / MILLION, s.high() / MILLION);
            line(
                    "| %s | %s | %.0f | %.1f |",
                    one.measured().text(),
                    millions.text(),
                    GB / s.median(),
                    s.median() * one.measured().bytes() / GB);
        }
    }

    private void emulated(List<EmulatorCost.Line> lines) {
        text.append(
                """

                ## The emulator's own cost

                Random Reads and Writes of an emulated drive by its own CMB, 32 in flight, driver and emulator on one thread; beside them the bare copies that they come to: the same bytes between
                a medium of 256 MiB and a memory as long as the slots, each command's at once as the emulator moves them (`transfers: runs`), with nothing around them. So the rest is queue entries, lists, doorbells and
                completions of both sides.

                """);
        line("| commands | emulated, ns | bare copies, ns | ratio |");
        line("|---|---|---|---|");
        for (EmulatorCost.Line one : lines) {
            line(
                    "| %s of %d KiB | %s | %s | %s |",
                    one.command(),
                    one.bytes() >> 10,
                    one.emulated().text(),
                    one.bare().text(),
                    one.ratio().text());
        }
    }

    private void copies(List<EmulatorCost.Copied> lines) {
        text.append(
                """

                ## A whole copy beside its parts

                256 MiB between two emulated drives that nothing limits, by 32 slots in the target's CMB, not verified; beside it the same Reads into that CMB alone and the same Writes from it
                alone. All is on one thread, so a copy can't be faster than the sum of its parts but for what is in the processor's caches: what is above 1 is the pipeline and the fence.

                """);
        line("| chunk | read alone, ms a GiB | write alone | copy | copy to the sum |");
        line("|---|---|---|---|---|");
        for (EmulatorCost.Copied one : lines) {
            line(
                    "| %d KiB | %s | %s | %s | %s |",
                    one.bytes() >> 10,
                    one.read().text(),
                    one.write().text(),
                    one.copy().text(),
                    one.ratio().text());
        }
    }

    @SuppressWarnings("AnnotateFormatMethod") // not worth a dependency on its annotations
    private void line(String format, Object... arguments) {
        text.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
