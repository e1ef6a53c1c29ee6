package dev.peerlane.cli.demo;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.copy.ReceiptDocument;
import dev.peerlane.cli.copy.ReceiptView;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.ExitStatus;
import dev.peerlane.cli.shared.Failures;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.OwnRefusal;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.copy.CopyException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code demo}: a copy with no hardware, and the proof of it. */
@Command(
        name = "demo",
        description = {
            "Makes two emulated SSDs behind a switch, copies an image from one to the other through"
                    + " the target's CMB and once more through host memory, and compares the two.",
            ""
        },
        footer = {
            "",
            "The checksums are of the image files, taken outside the copy. The exit status is 0"
                    + " only if every byte arrived and none of the first copy's crossed host memory.",
            "",
            "A scenario is a fabric on which peer-to-peer goes wrong. It shows a copy without"
                    + " safeguards, the doctor's verdict, and the copy with them; with one seed all"
                    + " of it is always the same. The exit status is 0 if no copy with safeguards"
                    + " ended well with a wrong byte, and one of them carried the data.",
            "",
            "Examples:",
            "    peerlane demo",
            "    peerlane demo --size 256MiB --json",
            "  What goes wrong with peer-to-peer, what the doctor says, what the copy does:",
            "    peerlane demo --scenario list",
            "    peerlane demo --scenario two-paths --seed 7",
            "    peerlane demo --scenario acs --print-fabric | \\",
            "      peerlane doctor emu:source emu:target --fabric -",
            ""
        })
public final class DemoCommand implements Callable<Integer>, OwnRefusal {
    private static final long MAX_BYTES = 1L << 40;

    private final Context context;

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            defaultValue = "64MiB",
            description = "How much to copy, such as 64MiB (if not given) or 1GiB.")
    private String size = "64MiB";

    @Option(
            names = "--scenario",
            paramLabel = "NAME",
            completionCandidates = Scenario.Names.class,
            description =
                    "Show what goes wrong: ${COMPLETION-CANDIDATES}; list tells what each is.")
    private @Nullable String scenario;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of the scenario's packets and data; 1 if not given.")
    private @Nullable Long seed;

    @Option(names = "--print-fabric", description = "Print the scenario's fabric file instead.")
    private boolean printFabric;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    public DemoCommand(Context context) {
        this.context = context;
    }

    @Override
    public Object refused(PeerlaneException why) {
        return ReceiptDocument.refusal(why);
    }

    @Override
    public Object failed(PeerlaneException why) {
        return ReceiptDocument.bug(why);
    }

    @Override
    public Integer call() {
        Terminal terminal = context.terminal();
        PeerlaneException failure;
        try {
            if (scenario != null || seed != null || printFabric) {
                return scenario();
            }
            DemoRun.Outcome outcome = DemoRun.run(context, bytes());
            failure = outcome.problem();
            if (json) {
                Json.print(terminal.out(), DemoDocument.of(outcome));
            } else {
                DemoView.print(terminal.out(), outcome);
            }
        } catch (CopyException e) {
            failure = e;
            if (json) {
                Json.print(terminal.out(), ReceiptDocument.of(e.receipt(), e));
            } else {
                ReceiptView.print(terminal.out(), e.receipt());
            }
        } catch (PeerlaneException e) {
            failure = e;
            tellRefusal(e);
        } catch (IOException e) {
            failure =
                    new PeerlaneException(
                            PeerlaneException.Category.MACHINE,
                            "demo-files",
                            "The images of the demo can't be kept: " + e,
                            "Make room in "
                                    + System.getProperty("java.io.tmpdir")
                                    + ", or ask for a smaller --size",
                            e);
            tellRefusal(failure);
        }
        if (failure == null) {
            return 0;
        }
        Failures.say(context, failure);
        return ExitStatus.of(failure);
    }

    private int scenario() throws IOException {
        PrintWriter out = context.terminal().out();
        String name = scenario;
        if (name == null) {
            throw PeerlaneException.request(
                    "no-scenario",
                    "--seed and --print-fabric are of a scenario, and none is named",
                    "Name one with --scenario; --scenario list tells which there are");
        }
        if (json && printFabric) {
            throw PeerlaneException.request(
                    "two-forms",
                    "--print-fabric prints YAML, and --json asks for JSON",
                    "Leave one of them out");
        }
        if (name.equals("list")) {
            if (json) {
                Json.print(out, ScenarioDocument.Scenarios.of());
            } else {
                ScenarioView.list(out);
            }
            return 0;
        }
        Scenario chosen = Scenario.of(name);
        long from = seed == null ? 1 : seed;
        if (printFabric) {
            out.print(chosen.printedFabric(from));
            out.flush();
            return 0;
        }
        ScenarioRun.Outcome outcome = ScenarioRun.run(context, chosen, from);
        if (json) {
            Json.print(out, ScenarioDocument.of(outcome));
        } else {
            ScenarioView.print(out, outcome);
        }
        PeerlaneException problem = outcome.problem();
        if (problem != null) {
            Failures.say(context, problem);
        }
        return ExitStatus.of(problem);
    }

    private void tellRefusal(PeerlaneException e) {
        if (json) {
            Json.print(context.terminal().out(), refused(e));
        }
    }

    private long bytes() {
        long bytes = Sizes.parse(size);
        if (bytes <= 0 || bytes % DemoRun.UNIT_BYTES != 0 || bytes > MAX_BYTES) {
            throw PeerlaneException.request(
                    "bad-size",
                    "a demo of %d bytes is asked for".formatted(bytes),
                    "Choose a multiple of %s up to %s"
                            .formatted(Sizes.text(DemoRun.UNIT_BYTES), Sizes.text(MAX_BYTES)));
        }
        return bytes;
    }
}
