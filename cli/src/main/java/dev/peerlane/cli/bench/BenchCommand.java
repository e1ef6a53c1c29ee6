package dev.peerlane.cli.bench;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.cli.shared.Confirmation;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.ExitStatus;
import dev.peerlane.cli.shared.FabricOption;
import dev.peerlane.cli.shared.Failures;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.cli.shared.OverwriteOption;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.measure.BenchWish;
import dev.peerlane.nvme.Namespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code bench}: measures how fast devices access each other's memory. */
@Command(
        name = "bench",
        description = {
            "Measures rate and latency of peer-to-peer DMA between all pairs of devices, into"
                    + " and out of their CMBs, and of host memory for comparison. Writes to no"
                    + " medium unless a scratch range is named.",
            ""
        },
        footer = {
            "",
            "A canary is checked before and after each figure is measured. If the data did not"
                    + " arrive, the figure is void and the exit status is 4. With a scratch"
                    + " range, whole copies into it are measured too, through a CMB and through"
                    + " host memory.",
            "",
            "Examples:",
            "    peerlane bench",
            "    peerlane bench 01:00.0 02:00.0 --sweep all --html report.html",
            "    peerlane bench emu:ssd0 emu:ssd1 --depth 64 --size 64KiB --sweep none --json",
            "  Also write to these blocks, whose content is lost:",
            "    peerlane bench 01:00.0 02:00.0 --scratch 0000:01:00.0/n1@0+65536",
            ""
        })
public final class BenchCommand implements Callable<Integer> {
    private static final int MAX_DEPTH = 1024;
    private static final int USUAL_DEPTH = 32;
    private static final double USUAL_SECONDS = 0.2;
    private static final List<Integer> USUAL_DEPTHS = List.of(1, 2, 4, 8, 16, 32, 64);

    private final Context context;

    @Parameters(
            paramLabel = "DEVICE",
            arity = "0..*",
            description = "The devices to measure (default: all of the fabric).")
    private List<String> named = List.of();

    @Mixin private final FabricOption fabric = new FabricOption();

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            description =
                    "Transfer size in the matrix (default: 128KiB, or the most that all"
                            + " devices support).")
    private @Nullable String size;

    @Option(
            names = "--depth",
            paramLabel = "N",
            description =
                    "Queue depth in the matrix (default: 32, or as many transfers as fit"
                            + " into the CMB).")
    private int depth = USUAL_DEPTH;

    @Option(
            names = "--sweep",
            paramLabel = "WHICH",
            description = "Routes to sweep sizes and depths for: first (pair), all or none.")
    private String sweep = "first";

    @Option(
            names = "--sizes",
            paramLabel = "SIZE",
            split = ",",
            description =
                    "Transfer sizes of the sweep (default: 4KiB, doubled up to the largest"
                            + " supported).")
    private List<String> sizes = List.of();

    @Option(
            names = "--depths",
            paramLabel = "N",
            split = ",",
            description = "Queue depths of the sweep (default: 1 to 64, doubled).")
    private List<Integer> depths = USUAL_DEPTHS;

    @Option(
            names = "--time",
            paramLabel = "SECONDS",
            description = "Seconds to measure each figure (default: 0.2).")
    private double seconds = USUAL_SECONDS;

    @Option(
            names = "--scratch",
            paramLabel = "RANGE",
            description = {
                "DEVICE[/nNSID]@SLBA+BLOCKS: blocks that may be overwritten, to measure Writes"
                        + " of that device as well as Compares."
            })
    private @Nullable String scratch;

    @Mixin private final OverwriteOption overwrite = new OverwriteOption();

    @Option(
            names = {"-y", "--yes"},
            description = "Overwrite the scratch range without asking.")
    private boolean yes;

    @Option(
            names = "--expect-serial",
            paramLabel = "SERIAL",
            description = "Write only if the device of the scratch range has this serial number.")
    private @Nullable String expectSerial;

    @Option(names = "--any-route", description = "Also measure routes that are judged not to work.")
    private boolean anyRoute;

    @Option(
            names = "--csv",
            paramLabel = "FILE",
            description = "Write the figures to this CSV file.")
    private @Nullable Path csv;

    @Option(
            names = "--html",
            paramLabel = "FILE",
            description = "Write a self-contained HTML report with charts to this file.")
    private @Nullable Path html;

    @Option(names = "--seed", paramLabel = "N", hidden = true)
    private long seed = System.nanoTime();

    public BenchCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        BenchWish wish = wish();
        BenchRun.Outcome outcome;
        List<String> wanted = named.stream().map(Opening::device).distinct().toList();
        try (Session session = Opening.hurriedSession(context.system(), fabric.file(), wanted)) {
            List<String> devices = wanted.isEmpty() ? session.fabric().locators() : wanted;
            Extent range = wish.scratch();
            if (range != null) {
                checkScratch(session, devices, range);
            }
            outcome = new BenchRun(context).of(session, devices, wish);
        }
        tell(outcome.document());
        PeerlaneException failure = outcome.failure();
        if (failure != null) {
            Failures.say(context, failure);
            return ExitStatus.of(failure);
        }
        return status(outcome.document());
    }

    private static int status(BenchDocument document) {
        if (document.cells().stream().anyMatch(BenchDocument.Cell::isVoid)) {
            return ExitStatus.of(PeerlaneException.Category.IO);
        }
        return document.cells().stream().anyMatch(BenchDocument.Cell::measured)
                ? 0
                : ExitStatus.of(PeerlaneException.Category.MACHINE);
    }

    private BenchWish wish() {
        if (depth < 1
                || depth > MAX_DEPTH
                || depths.stream().anyMatch(d -> d < 1 || d > MAX_DEPTH)) {
            throw PeerlaneException.request(
                    "bad-depth",
                    "the queue depth %s is out of range"
                            .formatted(depth < 1 || depth > MAX_DEPTH ? depth : depths),
                    "Choose 1 to " + MAX_DEPTH);
        }
        if (!(seconds > 0) || seconds > 3600) {
            throw PeerlaneException.request(
                    "bad-time",
                    "'--time " + seconds + "' is out of range",
                    "Choose more than 0 and at most 3600");
        }
        return new BenchWish(
                new BenchWish.Matrix(size == null ? 0 : chunk(size), depth),
                new BenchWish.Sweeps(
                        sizes.stream().map(BenchCommand::chunk).toList(), depths, swept()),
                (long) (seconds * 1e9),
                scratch == null ? null : Extent.parse(scratch),
                anyRoute ? BenchWish.Routes.ALL : BenchWish.Routes.ALLOWED,
                seed);
    }

    private static int chunk(String text) {
        int bytes = Sizes.parseInt(text);
        if (bytes < 512 || bytes % 512 != 0) {
            throw PeerlaneException.request(
                    "bad-chunk",
                    "the transfer size %s is not supported".formatted(text),
                    "Choose a multiple of the devices' blocks, such as 4KiB");
        }
        return bytes;
    }

    private BenchWish.Swept swept() {
        for (BenchWish.Swept choice : BenchWish.Swept.values()) {
            if (choice.name().equals(sweep.toUpperCase(Locale.ROOT))) {
                return choice;
            }
        }
        throw PeerlaneException.request(
                "bad-sweep", "Unknown sweep '" + sweep + "'", "Choose first, all or none");
    }

    /**
     * Checks the scratch range as a copy's target is: inside the namespace, on the right device,
     * and confirmed.
     */
    private void checkScratch(Session session, List<String> devices, Extent range) {
        Long slba = range.slba();
        Long blocks = range.blocks();
        if (slba == null || blocks == null) {
            throw PeerlaneException.request(
                    "scratch-without-range",
                    "--scratch %s has no range of blocks".formatted(scratch),
                    "Write DEVICE/nNSID@SLBA+BLOCKS: all of it is overwritten");
        }
        if (!devices.contains(range.device())) {
            throw PeerlaneException.request(
                    "scratch-elsewhere",
                    "--scratch is on %s, which is not among the measured devices"
                            .formatted(range.device()),
                    "Name that device too");
        }
        Namespace namespace = session.namespace(range);
        namespace.checkUsable();
        if (slba >= namespace.blockCount() || blocks > namespace.blockCount() - slba) {
            throw PeerlaneException.request(
                    "range-past-end",
                    "--scratch has %d blocks from block %d on, but %s has %d"
                            .formatted(blocks, slba, namespace.name(), namespace.blockCount()),
                    "Name a range inside the namespace");
        }
        String readOnly = namespace.readOnlyReason();
        if (readOnly != null) {
            throw PeerlaneException.machine(
                    "namespace-read-only",
                    "%s can't be written: %s".formatted(namespace.name(), readOnly),
                    "Remove the write protection, or omit --scratch");
        }
        String serial = namespace.controllerIdentity().sn();
        if (expectSerial != null && !expectSerial.strip().equals(serial)) {
            throw PeerlaneException.refused(
                    "serial-differs",
                    "%s has serial '%s', not '%s'".formatted(range.device(), serial, expectSerial),
                    "Nothing was written. Name the right scratch range, or its serial number");
        }
        if (!overwrite.allowed()) {
            session.checkCarriesNothing(range);
        }
        if (!yes) {
            Confirmation.ask(
                    context,
                    "This overwrites blocks %d to %d of %s (%s, serial %s)."
                            .formatted(
                                    slba,
                                    slba + blocks - 1,
                                    namespace.name(),
                                    namespace.controllerIdentity().mn(),
                                    serial));
        }
    }

    private void tell(BenchDocument document) {
        if (csv != null) {
            write(csv, BenchViews.csv(document));
        }
        if (html != null) {
            write(html, BenchReport.html(document));
        }
        if (fabric.json()) {
            Json.print(context.terminal().out(), document);
        } else {
            BenchViews.text(context.terminal().out(), document);
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "report-not-written",
                    "the report can't be written to %s: %s".formatted(file, e),
                    "Name a writable file",
                    e);
        }
    }
}
