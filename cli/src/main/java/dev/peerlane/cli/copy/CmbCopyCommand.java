package dev.peerlane.cli.copy;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.FabricOption;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.cli.shared.OverwriteOption;
import dev.peerlane.cli.shared.OwnRefusal;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The command {@code cmb-copy}: a copy with the arguments of SPDK's example {@code cmb_copy}. */
@Command(
        name = "cmb-copy",
        description = {
            "Copies blocks through the CMB of a named device, with the arguments of SPDK's"
                    + " cmb_copy, and verifies the copy. Never falls back to host memory.",
            ""
        },
        footer = {
            "",
            "The two ranges must have the same length in bytes. NLB is a number of blocks.",
            "",
            "Examples:",
            "  2048 blocks through the CMB of the target:",
            "    peerlane cmb-copy -r emu:ssd0-1-0-2048 -w emu:ssd1-1-0-2048 -c emu:ssd1",
            "  Through the CMB of a third device, in a running QEMU:",
            "    peerlane cmb-copy -r qemu:02:00.0-1-0-16 -w qemu:03:00.0-1-0-16 \\",
            "      -c qemu:04:00.0 --fabric lab.yaml --yes",
            ""
        })
public final class CmbCopyCommand implements Callable<Integer>, OwnRefusal {
    private final Context context;

    @Option(
            names = "-r",
            required = true,
            paramLabel = "ID-NS-SLBA-NLB",
            description = "The source: device, namespace, first block, number of blocks.")
    private String read = "";

    @Option(
            names = "-w",
            required = true,
            paramLabel = "ID-NS-SLBA-NLB",
            description = "The target; its content is overwritten.")
    private String written = "";

    @Option(
            names = "-c",
            required = true,
            paramLabel = "ID",
            description =
                    "The device whose CMB carries the data: the source, the target or a"
                            + " third device.")
    private String carrier = "";

    @Mixin private final FabricOption fabric = new FabricOption();

    @Mixin private final WriteOptions write = new WriteOptions();

    @Mixin private final OverwriteOption overwrite = new OverwriteOption();

    public CmbCopyCommand(Context context) {
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
        CopyTask task = new CopyTask(context, fabric, write, CopyTask.Mode.COPY);
        return task.run(() ->
                new CopyRun.Wish(
                        Extent.parseCmbCopy(read),
                        Extent.parseCmbCopy(written),
                        CopyOptions.DEFAULTS
                                .withBuffer(BufferChoice.device(Opening.device(carrier)))
                                .withOverwrite(overwrite.allowed())));
    }
}
