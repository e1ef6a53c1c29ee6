package dev.peerlane.cli;

import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.ProgramVersion;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program itself: its options and help without a command. */
@Command(
        name = "peerlane",
        description = {
            "Moves data straight from one NVMe SSD to another across PCIe, through a controller"
                    + " memory buffer (CMB), with no copy in host memory.",
            ""
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {
            "",
            "Devices: 0000:01:00.0 (on this machine, bound to vfio-pci), emu:ssd0 (emulated),"
                    + " qemu:03:00.0"
                    + " (in a running QEMU, with --fabric), vfio-user:PATH (behind a vfio-user"
                    + " socket).",
            "Exit status: 0 success; 1 invalid request; 2 the machine or a device can't do it,"
                    + " or output could not be written; 3 refused; 4 I/O or verification failed;"
                    + " 130 interrupted; 141 the reader of standard output is gone.",
            "",
            "Examples:",
            "  Try it on two emulated SSDs behind a switch:",
            "    peerlane demo",
            "  List the devices, and show what a copy would do:",
            "    peerlane list",
            "    peerlane copy emu:ssd0@0+2048 emu:ssd1 --dry-run",
            ""
        })
final class PeerlaneCommand implements Callable<Integer> {
    private final Context context;

    @Spec private @Nullable CommandSpec spec;

    @SuppressWarnings("UnusedVariable") // picocli acts on it by itself
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help.")
    private boolean help;

    @Option(
            names = {"-v", "--verbose"},
            scope = ScopeType.INHERIT,
            description =
                    "Print the library's log, and the stack trace of an error."
                            + " PEERLANE_VERBOSE=1 does the same.")
    private boolean verbose;

    @Option(
            names = {"-V", "--version"},
            description = "Print the version.")
    private boolean version;

    PeerlaneCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (version) {
            ProgramVersion.print(
                    context.terminal().out(),
                    verbose ? ProgramVersion.About.PLATFORM : ProgramVersion.About.NUMBER);
            return 0;
        }
        CommandLine program = spec == null ? new CommandLine(this) : spec.commandLine();
        throw new ParameterException(program, "No command given");
    }
}
