package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.LocalSystem;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.Writer;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class CliTest {
    private static final Context CONTEXT =
            new Context(
                    new Terminal(
                            new BufferedReader(Reader.nullReader()),
                            new PrintWriter(Writer.nullWriter()),
                            new PrintWriter(Writer.nullWriter()),
                            false,
                            null),
                    new Interruption(),
                    List.of(),
                    LocalSystem.local());

    private static Set<String> made(String... args) {
        return Cli.program(CONTEXT, List.of(args)).getSubcommands().keySet();
    }

    @Test
    void aStartCreatesOnlyTheCommandThatRuns() {
        for (String name : Cli.program(CONTEXT).getSubcommands().keySet()) {
            if (!Set.of("help", "completion").contains(name)) {
                assertThat(made(name, "help")).containsExactly(name);
            }
        }
    }

    @Test
    void optionsBeforeACommandDoNotCreateOtherCommands() {
        assertThat(made("-v", "copy", "help")).containsExactly("copy");
        assertThat(made("--verbose", "-v", "list")).containsExactly("list");
    }

    @Test
    void theVersionNeedsNoCommand() {
        assertThat(made("--version")).isEmpty();
        assertThat(made("-v", "-V")).isEmpty();
    }

    @Test
    void helpAndCompletionCreateAllCommands() {
        Set<String> all = Cli.program(CONTEXT).getSubcommands().keySet();
        assertThat(all).hasSize(17);
        assertThat(made()).isEqualTo(all);
        assertThat(made("--help")).isEqualTo(all);
        assertThat(made("cpoy")).isEqualTo(all);
        assertThat(made("-v", "--help")).isEqualTo(all);
        assertThat(made("--version", "--help")).isEqualTo(all);
        assertThat(made("help", "copy")).isEqualTo(all);
        assertThat(made("completion", "bash")).isEqualTo(all);
    }

    @Test
    void everyCommandIsFoundByTheNameThatItGivesItself() {
        Cli.program(CONTEXT)
                .getSubcommands()
                .forEach((String name, CommandLine command) -> {
                    assertThat(command.getCommandSpec().name()).isEqualTo(name);
                    assertThat(made(name)).contains(name);
                });
    }
}
