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

/** The command {@code demo}: a copy without hardware, with proof that it is right. */
@Command(
        name = "demo",
        description = {
            "Emulates two SSDs behind a switch, copies an image from one to the other through"
                    + " the target's CMB and again through host memory, and compares the two"
                    + " copies.",
            ""
        },
        footer = {
            "",
            "The checksums are computed from the image files, outside the copy. The exit status"
                    + " is 0 only if every byte arrived and no byte of the first copy crossed"
                    + " host memory.",
            "",
            "A scenario is a fabric on which peer-to-peer goes wrong. It shows a copy without"
                    + " safeguards, the doctor's verdict, and the copy with safeguards. The same"
                    + " seed gives the same result. The exit status is 0 if no copy with"
                    + " safeguards reported success for a wrong byte, and at least one of them"
                    + " succeeded.",
            "",
            "Examples:",
            "    peerlane demo",
            "    peerlane demo --size 256MiB --json",
            "  What can go wrong, what the doctor reports, and what the copy does:",
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
            description = "Size of the copy, such as 1GiB (default: 64MiB).")
    private String size = "64MiB";

    @Option(
            names = "--scenario",
            paramLabel = "NAME",
            completionCandidates = Scenario.Names.class,
            description = "Run a scenario: ${COMPLETION-CANDIDATES}; list describes them.")
    private @Nullable String scenario;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Seed of the scenario's packets and data (default: 1).")
    private @Nullable Long seed;

    @Option(names = "--print-fabric", description = "Print the scenario's fabric file and exit.")
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
                            "The images of the demo can't be stored: " + e,
                            "Free space in "
                                    + System.getProperty("java.io.tmpdir")
                                    + ", or use a smaller --size",
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
                    "--seed and --print-fabric need a scenario",
                    "Name one with --scenario; --scenario list shows them");
        }
        if (json && printFabric) {
            throw PeerlaneException.request(
                    "two-forms",
                    "--print-fabric prints YAML, and --json asks for JSON",
                    "Omit one of them");
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
                    "a demo of %d bytes is not supported".formatted(bytes),
                    "Choose a multiple of %s up to %s"
                            .formatted(Sizes.text(DemoRun.UNIT_BYTES), Sizes.text(MAX_BYTES)));
        }
        return bytes;
    }
}
