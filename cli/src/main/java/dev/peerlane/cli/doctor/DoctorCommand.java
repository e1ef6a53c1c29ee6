package dev.peerlane.cli.doctor;

import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.MachineOptions;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code doctor}: diagnoses whether peer-to-peer works here. */
@Command(
        name = "doctor",
        description = {
            "Diagnoses whether peer-to-peer works between two devices, or on this machine at"
                    + " all. If not, shows what was read, what it means, how to change it and"
                    + " how to undo the change.",
            ""
        },
        footer = {
            "",
            "Exit status: 0 go; 2 the machine or a device can't do it; 3 it would be refused."
                    + " docs/doctor.md explains the codes. A copy is planned with the same"
                    + " verdicts.",
            "",
            "--probe tests each route on the devices and writes to no medium. It does a Read"
                    + " into the peer's memory (an Identify if there is no namespace), then a"
                    + " Compare from that memory, which must succeed and, after one byte is"
                    + " changed, must fail. With a third device's buffer, both sides are probed"
                    + " with it.",
            "",
            "Examples:",
            "    peerlane doctor",
            "    sudo peerlane doctor 0000:03:00.0 0000:04:00.0",
            "    peerlane doctor 03:00.0 04:00.0 --from server.zip",
            "    peerlane doctor emu:ssd0 emu:ssd1 --probe",
            ""
        })
public final class DoctorCommand implements Callable<Integer> {
    private final Context context;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "SOURCE",
            description =
                    "The source, with /nNSID if block sizes differ. Without SOURCE, the whole"
                            + " machine is examined.")
    private @Nullable String source;

    @Parameters(index = "1", arity = "0..1", paramLabel = "TARGET", description = "The target.")
    private @Nullable String target;

    @Option(
            names = "--buffer",
            paramLabel = "auto|target|source|third|DEVICE",
            defaultValue = "auto",
            description = "Whose CMB would carry the data (default: ${DEFAULT-VALUE}).")
    private String buffer = "auto";

    @Option(
            names = "--fence",
            paramLabel = "auto|sentinel|canary|readback|none",
            defaultValue = "auto",
            description = "Which fence the copy would use (default: ${DEFAULT-VALUE}).")
    private String fence = "auto";

    @Option(names = "--probe", description = "Test each leg on the devices themselves.")
    private boolean probe;

    @Mixin private final MachineOptions machine = new MachineOptions();

    public DoctorCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Examination examination =
                new Examination(
                        context,
                        machine.source(),
                        new Examination.Wish(source, target, buffer, fence));
        Examination.Outcome answer = probe ? examination.probe() : examination.read();
        PrintWriter out = context.terminal().out();
        if (machine.json()) {
            Json.print(out, DoctorDocument.of(answer));
        } else {
            DoctorView.print(out, answer);
        }
        return answer.status();
    }
}
