package dev.peerlane.cli.help;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.Context;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code completion}: prints a script for shell completion. */
@Command(
        name = "completion",
        description = {"Prints a script that completes commands and options in bash or zsh.", ""},
        footer = {
            "",
            "Examples:",
            "  In this shell:",
            "    source <(peerlane completion bash)",
            "  In every zsh that loads compinit and bashcompinit:",
            "    echo 'source <(peerlane completion zsh)' >> ~/.zshrc",
            ""
        })
public final class CompletionCommand implements Callable<Integer> {
    private final Context context;

    @Spec private @Nullable CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "SHELL",
            defaultValue = "bash",
            description = "bash (default) or zsh.")
    private String shell = "bash";

    public CompletionCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        String name = shell.toLowerCase(Locale.ROOT);
        if (!name.equals("bash") && !name.equals("zsh")) {
            throw PeerlaneException.request(
                    "bad-shell", "No completion for shell '" + shell + "'", "Use bash or zsh");
        }
        if (spec != null) {
            CommandLine program = spec.root().commandLine();
            context.terminal().out().print(AutoComplete.bash("peerlane", program));
            context.terminal().out().flush();
        }
        return 0;
    }
}
