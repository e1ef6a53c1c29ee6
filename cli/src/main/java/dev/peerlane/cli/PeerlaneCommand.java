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

/** The program itself: what is said before any command. */
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
            "Devices: 0000:01:00.0 (of this machine, bound to vfio-pci), emu:ssd0 (emulated), qemu:03:00.0"
                    + " (in a running QEMU, with --fabric), vfio-user:PATH (behind a vfio-user socket).",
            "Exit status: 0 done; 1 the request is wrong; 2 the machine or device can't, or the output"
                    + " could not be written; 3 refused; 4 I/O or verification failed; 130"
                    + " interrupted; 141 the reader of the output went away.",
            "",
            "Examples:",
            "  See it work, on two emulated SSDs behind a switch:",
            "    peerlane demo",
            "  What is there, and what would a copy do:",
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
            description = "Say more, with errors the stack; PEERLANE_VERBOSE=1 does so too.")
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
        throw new ParameterException(program, "No command is given");
    }
}
