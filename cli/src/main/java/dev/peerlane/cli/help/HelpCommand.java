package dev.peerlane.cli.help;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.Context;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code help}: shows help for the program or a command. */
@Command(
        name = "help",
        description = {"Shows help for the program or for a command.", ""},
        footer = {"", "Example:", "    peerlane help copy", ""})
public final class HelpCommand implements Callable<Integer> {
    private final Context context;

    @Spec private @Nullable CommandSpec spec;

    @Parameters(index = "0", arity = "0..1", paramLabel = "COMMAND", description = "The command.")
    private @Nullable String command;

    public HelpCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (spec == null) {
            return 0;
        }
        CommandLine program = spec.root().commandLine();
        CommandLine shown = command == null ? program : program.getSubcommands().get(command);
        if (shown == null) {
            throw PeerlaneException.request(
                    "usage",
                    "Unknown command '" + command + "'",
                    "Choose one of " + String.join(", ", program.getSubcommands().keySet()));
        }
        shown.usage(context.terminal().out());
        context.terminal().out().flush();
        return 0;
    }
}
