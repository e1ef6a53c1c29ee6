package dev.peerlane.cli.litmus;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.copy.Sides;
import dev.peerlane.cli.shared.Choices;
import dev.peerlane.cli.shared.Confirmation;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.ExitStatus;
import dev.peerlane.cli.shared.FabricOption;
import dev.peerlane.cli.shared.Failures;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.cli.shared.OverwriteOption;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.nvme.Controller;
import java.security.SecureRandom;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code litmus}: counts how often a fence hands on old bytes. */
@Command(
        name = "litmus",
        description = {
            "Counts stale hand-offs between two devices: how often a fence hands on a CMB slot"
                    + " that still holds old bytes, and the largest share that is compatible"
                    + " with the count.",
            ""
        },
        footer = {
            "",
            "A pattern is written once to the scratch range of both devices and overwrites its"
                    + " content. Then the source Reads chunks of the pattern into CMB slots that"
                    + " hold other chunks, and the target Compares each slot when the fence"
                    + " hands it on. Nothing else is written.",
            "",
            "Exit status: 4 if a fence that a copy could use handed on old bytes, or if"
                    + " something failed; 0 even if old bytes were found with a fence that no"
                    + " copy would use; 130 after Ctrl-C, with the counts so far.",
            "",
            "Examples:",
            "    peerlane litmus emu:ssd0 emu:ssd1 --scratch 0+2048 --yes",
            "    peerlane litmus 01:00.0 02:00.0 --scratch 0+8192 --fence sentinel --slots"
                    + " 5000000 \\",
            "        --expect-serial S1,S2",
            ""
        })
public final class LitmusCommand implements Callable<Integer> {
    private static final Pattern RANGE = Pattern.compile("(\\d{1,18})\\+(\\d{1,18})");
    private static final long MAX_HAND_OFFS = 1L << 40;

    private final Context context;
    private final Terminal terminal;

    @Parameters(
            index = "0",
            paramLabel = "SOURCE",
            description = "The device that Reads: DEVICE[/nNSID].")
    private String source = "";

    @Parameters(
            index = "1",
            paramLabel = "TARGET",
            description = "The device that Compares: DEVICE[/nNSID].")
    private String target = "";

    @Mixin private final FabricOption fabric = new FabricOption();

    @Option(
            names = "--scratch",
            paramLabel = "SLBA+BLOCKS",
            description = {
                "The range to overwrite on both devices, in the larger of their block sizes."
                        + " Required."
            })
    private @Nullable String scratch;

    @Option(
            names = "--buffer",
            paramLabel = "WHICH",
            defaultValue = "target",
            description = "Whose CMB to use: target (default), source, or a DEVICE.")
    private String buffer = "target";

    @Option(
            names = "--fence",
            paramLabel = "HOW",
            split = ",",
            defaultValue = "all",
            description = "none, readback, canary, sentinel, several of them, or all (default).")
    private List<String> fences = List.of("all");

    @Option(
            names = "--slots",
            paramLabel = "N",
            defaultValue = "100000",
            description = "Hand-offs to count with each fence (default: 100000).")
    private long handOffs = 100_000;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "Time limit for each fence, by the clock of the fabric.")
    private @Nullable Double seconds;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Seed of the pattern and of the fences' random words (default: random).")
    private @Nullable Long seed;

    @Mixin private final OverwriteOption overwrite = new OverwriteOption();

    @Option(
            names = {"-y", "--yes"},
            description = "Overwrite the scratch ranges without asking.")
    private boolean yes;

    @Option(
            names = "--expect-serial",
            paramLabel = "SERIAL",
            split = ",",
            description = "Continue only if each device has one of these serial numbers.")
    private @Nullable List<String> serials;

    public LitmusCommand(Context context) {
        this.context = context;
        this.terminal = context.terminal();
    }

    @Override
    public Integer call() {
        LitmusRun run = new LitmusRun(context, this::consent);
        PeerlaneException failure;
        try {
            Set<FenceChoice> fences = fenceChoices();
            long fresh = seed != null ? seed : new SecureRandom().nextLong() >>> 16;
            run.run(fabric.file(), wish(fences, fresh), fresh);
            failure = LitmusRun.verdict(run.lines());
        } catch (PeerlaneException e) {
            failure = e;
        }
        run.warnings().forEach(w -> terminal.say("Warning: " + w + "."));
        LitmusDocument document = new LitmusDocument(run.head(), run.lines(), failure);
        if (fabric.json()) {
            Json.print(terminal.out(), document.tree(source, target));
        } else if (!run.lines().isEmpty()) {
            LitmusView.print(terminal.out(), document);
        }
        if (failure != null) {
            Failures.say(context, failure);
        }
        return ExitStatus.of(failure);
    }

    private LitmusRun.Wish wish(Set<FenceChoice> chosen, long fresh) {
        long nanos = nanos();
        if (handOffs < 1 || handOffs > MAX_HAND_OFFS) {
            throw PeerlaneException.request(
                    "bad-slots",
                    "'--slots " + handOffs + "' is out of range",
                    "Choose 1 to " + MAX_HAND_OFFS);
        }
        return new LitmusRun.Wish(
                Opening.namespace(source),
                Opening.namespace(target),
                options().withSeed(fresh),
                range(),
                new LitmusRun.Counting(chosen, handOffs, nanos));
    }

    private void consent(CopyPlan plan, List<Controller> sides) {
        sides.forEach(this::checkSerial);
        if (!yes) {
            confirm(plan);
        }
    }

    private void checkSerial(Controller controller) {
        String serial = controller.identity().sn();
        if (serials != null && serials.stream().map(String::strip).noneMatch(serial::equals)) {
            throw PeerlaneException.refused(
                    "serial-differs",
                    "%s has serial '%s', which is not one of %s"
                            .formatted(controller.locator(), serial, serials),
                    "Nothing was written. Name the right devices, or their serial numbers");
        }
    }

    private void confirm(CopyPlan plan) {
        Receipt.Side from = Sides.source(plan.request());
        Receipt.Side to = Sides.target(plan.request());
        Confirmation.ask(
                context,
                "This overwrites %s of both %s and %s with a pattern."
                        .formatted(
                                Sizes.text(plan.request().bytes()),
                                LitmusView.scratch(from),
                                LitmusView.scratch(to)));
    }

    private CopyOptions options() {
        return CopyOptions.DEFAULTS
                .withBuffer(Choices.buffer(buffer))
                .withFence(FenceChoice.NONE)
                .withOverwrite(overwrite.allowed())
                .withVerify(VerifyMode.NONE);
    }

    private long nanos() {
        if (seconds == null) {
            return Long.MAX_VALUE;
        }
        if (!(seconds > 0) || seconds > 1e7) {
            throw PeerlaneException.request(
                    "bad-seconds",
                    "'--seconds " + seconds + "' is out of range",
                    "Choose more than 0 and at most 10000000");
        }
        return (long) (seconds * 1e9);
    }

    private LitmusRun.Scratch range() {
        String text = scratch;
        if (text == null) {
            throw PeerlaneException.refused(
                    "no-scratch",
                    "--scratch is missing: a litmus test overwrites a range on both devices",
                    "Nothing was written. Name blocks that are not needed, such as --scratch"
                            + " 0+2048");
        }
        Matcher m = RANGE.matcher(text);
        if (!m.matches()) {
            throw PeerlaneException.request(
                    "bad-scratch",
                    "'" + text + "' is not a range of blocks",
                    "Use SLBA+BLOCKS, such as 0+2048");
        }
        return new LitmusRun.Scratch(Long.parseLong(m.group(1)), Long.parseLong(m.group(2)));
    }

    private Set<FenceChoice> fenceChoices() {
        Set<FenceChoice> chosen = new LinkedHashSet<>();
        for (String text : fences) {
            if (text.toLowerCase(Locale.ROOT).equals("all")) {
                chosen.addAll(
                        List.of(
                                FenceChoice.NONE,
                                FenceChoice.READBACK,
                                FenceChoice.CANARY,
                                FenceChoice.SENTINEL));
            } else {
                FenceChoice one = Choices.fence(text);
                if (one == FenceChoice.AUTO) {
                    throw PeerlaneException.request(
                            "bad-fence",
                            "'auto' can't be counted",
                            "Use none, readback, canary, sentinel or all");
                }
                chosen.add(one);
            }
        }
        return chosen;
    }
}
