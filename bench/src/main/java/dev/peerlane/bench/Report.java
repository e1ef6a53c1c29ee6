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
     * All results.
     *
     * @param served the results of the served drive; empty if there was only one core
     */
    record Figures(
            List<DriverCost.Line> driver,
            List<DriverCost.Line> forms,
            List<JmhSet.Line> jmh,
            List<ServedCost.Line> served,
            List<EmulatorCost.Line> emulated,
            List<EmulatorCost.Copied> copies) {}

    /** Writes the page to a directory. */
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

                This page shows what the driver, the emulator and a copy cost, for readers who
                decide whether to use Peerlane or who change its hot paths. `./dev bench` wrote it;
                run it to get the figures of your machine. Times depend on the machine and on what
                else it does. Compare ratios, which come from one run, and bytes allocated. Brackets
                hold the first and the third quartile.

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

                This measures submit, ring and poll of 4 KiB Reads on a device that costs nothing:
                the same thread reads the doorbell, which is memory, and writes the completions. The
                driver is the real one (`NvmeBlockPort`, `QueuePair`), brought up on an emulated
                controller.

                For comparison, `bench/src/main/c/driver.c` does the same in C: a 64-byte entry with
                PRPs, completions found by phase tag and identifier, both doorbells, a callback for
                each completion. "C, checks" also makes the checks of the Java driver: slot and
                block range, one command per slot, a sequence number in the identifier, queue and
                head in the completion, the queue's thread, and a queue that a callback ends. This
                is the same work as in Java, and the goal for Java is at most 1.4 times its time.
                The C without checks shows what the checks cost.

                All three run on one core, one sample of each in turn. A ratio is the median of the
                ratios of neighbouring samples. All include the device's part. Instructions are
                exact: a thread is single-stepped through 200,000 of them, between two changes of
                the doorbell.

                ![Time for a command](performance-driver.svg)

                """);
        line(
                "| commands per doorbell | program | ns per command | Java's time / this |"
                        + " instructions |");
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
                ## Data descriptions and doorbells

                This runs the same loop in Java alone, interleaved. The data of the Reads is one
                page, a PRP list or an SGL. The last form has doorbells in memory (shadow doorbells,
                including the memory fence that they need): the device looks there and does not ask
                for the register.

                """);
        line("| commands per doorbell | form | ns per command | time of the first / this |");
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

                This is the same loop under JMH with its allocation profiler. `./dev check` runs
                this set in a short form, and fails if a command allocates half a byte or more.

                """);
        line("| benchmark | parameters | ns per command | bytes allocated |");
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

                This measures random Reads of a drive that the server of `peerlane serve` offers
                over vfio-user. Its namespace stores nothing (`discards: true`): entries,
                completions, doorbells and PRP lists or SGLs are real, but no data moves. The server
                has one core and the driver another. So the last column states what the commands
                would move, not the bandwidth of a memory. The drive of the rows with `memory` has a
                medium of 256 MiB in memory, and moves its data into memory of the driver's process.
                The bare copies of the next table are the least that this costs.

                """);
        if (lines.isEmpty()) {
            line("Not measured: this machine provided only one core.");
            return;
        }
        line("![Reads a second](performance-served.svg)");
        line("");
        line("| reads | million per second | ns per read | GB/s |");
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

                This measures random Reads and Writes of an emulated drive through its own CMB, 32
                in flight, with driver and emulator on one thread. For comparison, the bare copies
                move the same bytes between a medium of 256 MiB and a memory as long as the slots,
                all of a command at once as the emulator moves them (`transfers: runs`), with
                nothing around them. The difference is queue entries, lists, doorbells and
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

                ## A whole copy and its parts

                This copies 256 MiB between two emulated drives without limits, through 32 slots in
                the target's CMB, without verification. For comparison, it runs the same Reads into
                that CMB alone and the same Writes from it alone. Everything is on one thread, so
                apart from effects of the processor's caches a copy can't be faster than the sum of
                its parts. The part of the ratio above 1 is the pipeline and the fence.

                """);
        line("| chunk | read alone, ms per GiB | write alone | copy | copy / sum |");
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
