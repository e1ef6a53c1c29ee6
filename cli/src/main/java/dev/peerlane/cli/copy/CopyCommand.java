package dev.peerlane.cli.copy;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.Choices;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.FabricOption;
import dev.peerlane.cli.shared.OverwriteOption;
import dev.peerlane.cli.shared.OwnRefusal;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.VerifyMode;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code copy}: copies blocks from one device to another by the best route. */
@Command(
        name = "copy",
        description = {
            "Copies blocks from one NVMe device to another across PCIe and verifies the copy."
                    + " The data bypasses host memory if a controller memory buffer can carry it.",
            ""
        },
        footer = {
            "",
            "SOURCE and TARGET are DEVICE[/nNSID][@SLBA+BLOCKS]. Without a range, SOURCE is the"
                    + " whole namespace and TARGET has the length of SOURCE.",
            "",
            "Examples:",
            "  Show the plan and the reasons for it:",
            "    peerlane copy emu:ssd0@0+2048 emu:ssd1 --dry-run",
            "  Copy 2048 blocks to block 4096 of the other device, without asking:",
            "    peerlane copy emu:ssd0/n1@0+2048 emu:ssd1/n1@4096 --yes",
            "  Through the target's CMB or not at all:",
            "    peerlane copy emu:ssd0 emu:ssd1 --buffer target --verify peer",
            "  Between two devices of a running QEMU, if the target has this serial number:",
            "    peerlane copy qemu:02:00.0 qemu:03:00.0 --fabric lab.yaml --expect-serial B1",
            ""
        })
public final class CopyCommand implements Callable<Integer>, OwnRefusal {
    private final Context context;

    @Parameters(index = "0", paramLabel = "SOURCE", description = "The source.")
    private String source = "";

    @Parameters(
            index = "1",
            paramLabel = "TARGET",
            description = "The target; its content is overwritten.")
    private String target = "";

    @Mixin private final FabricOption fabric = new FabricOption();

    @Mixin private final WriteOptions write = new WriteOptions();

    @Mixin private final OverwriteOption overwrite = new OverwriteOption();

    @Option(
            names = "--buffer",
            paramLabel = "WHICH",
            defaultValue = "auto",
            description = {
                "The memory that carries the data: auto, target or source (that side's CMB), a"
                        + " DEVICE (its CMB), or host. Only auto may fall back to host memory,"
                        + " and reports it."
            })
    private String buffer = "auto";

    @Option(
            names = "--verify",
            paramLabel = "HOW",
            defaultValue = "auto",
            description = {
                "Verify by peer (the devices compare, without host memory), host, none, or auto:"
                        + " peer if it is sound, otherwise host."
            })
    private String verify = "auto";

    @Option(
            names = "--fence",
            paramLabel = "HOW",
            defaultValue = "auto",
            description = {
                "How to ensure that data has arrived before it is used: sentinel, canary,"
                        + " readback, none, or auto: sentinel if a fence is needed."
            })
    private String fence = "auto";

    @Option(
            names = "--chunk",
            paramLabel = "SIZE",
            description = "Transfer size, such as 128KiB (default: tuned).")
    private @Nullable String chunk;

    @Option(
            names = "--slots",
            paramLabel = "N",
            description = {
                "Number of chunks in flight (default: tuned).",
                "The depth of Reads follows from this and --chunk."
            })
    private int slots;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Time limit of a command (default: 30).")
    private @Nullable Double timeoutSeconds;

    @Option(
            names = "--retries",
            paramLabel = "N",
            description = "Retry a failed command up to N times (default: 3).")
    private @Nullable Integer retries;

    @Option(
            names = "--no-wipe",
            description =
                    "Leave the data in the buffer that carried it, instead of overwriting"
                            + " the buffer.")
    private boolean noWipe;

    @Option(names = "--dry-run", description = "Print the plan and write nothing.")
    private boolean dryRun;

    @Option(names = "--seed", paramLabel = "N", hidden = true)
    private @Nullable Long seed;

    public CopyCommand(Context context) {
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
        CopyTask task =
                new CopyTask(
                        context,
                        fabric,
                        write,
                        dryRun ? CopyTask.Mode.DRY_RUN : CopyTask.Mode.COPY);
        return task.run(
                () -> new CopyRun.Wish(Extent.parse(source), Extent.parse(target), options()));
    }

    private CopyOptions options() {
        CopyOptions options =
                CopyOptions.DEFAULTS
                        .withBuffer(Choices.buffer(buffer))
                        .withFence(Choices.fence(fence))
                        .withVerify(verifyMode())
                        .withSlots(chunk == null ? 0 : Sizes.parseInt(chunk), slots)
                        .withWipe(!noWipe)
                        .withOverwrite(overwrite.allowed());
        if (timeoutSeconds != null) {
            options = options.withCommandTimeoutNanos(timeoutNanos(timeoutSeconds));
        }
        if (retries != null) {
            if (retries < 0) {
                throw PeerlaneException.request(
                        "bad-retries",
                        "'--retries " + retries + "' is negative",
                        "Choose 0 or more");
            }
            options = options.withRetries(retries);
        }
        return seed == null ? options : options.withSeed(seed);
    }

    private static long timeoutNanos(double seconds) {
        if (!(seconds > 0) || seconds > 86_400) {
            throw PeerlaneException.request(
                    "bad-timeout",
                    "a time-out of " + seconds + " seconds is out of range",
                    "Choose more than 0 and at most 86400");
        }
        return (long) (seconds * 1e9);
    }

    private VerifyMode verifyMode() {
        return switch (verify.toLowerCase(Locale.ROOT)) {
            case "auto" -> VerifyMode.AUTO;
            case "peer" -> VerifyMode.PEER;
            case "host" -> VerifyMode.HOST;
            case "none" -> VerifyMode.NONE;
            default ->
                    throw PeerlaneException.request(
                            "bad-verify",
                            "Unknown verification '" + verify + "'",
                            "Choose auto, peer, host or none");
        };
    }
}
