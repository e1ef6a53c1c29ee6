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

/** {@code cmb-copy}: with the arguments of SPDK's example of that name. */
@Command(
        name = "cmb-copy",
        description = {
            "Copies blocks by the CMB of a named device, with the arguments of SPDK's cmb_copy."
                    + " It never falls back to host memory, and verifies the copy.",
            ""
        },
        footer = {
            "",
            "The two ranges have the same length in bytes; NLB is a count of blocks.",
            "",
            "Examples:",
            "  2048 blocks by the CMB of the target:",
            "    peerlane cmb-copy -r emu:ssd0-1-0-2048 -w emu:ssd1-1-0-2048 -c emu:ssd1",
            "  By the CMB of a third device of a running QEMU:",
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
            description = "Where to read: device, namespace, first block, number of blocks.")
    private String read = "";

    @Option(
            names = "-w",
            required = true,
            paramLabel = "ID-NS-SLBA-NLB",
            description = "Where to write; what is there is lost.")
    private String written = "";

    @Option(
            names = "-c",
            required = true,
            paramLabel = "ID",
            description = "The device whose CMB carries the data: source, target or a third one.")
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
