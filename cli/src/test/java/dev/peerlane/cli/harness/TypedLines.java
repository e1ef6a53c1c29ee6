package dev.peerlane.cli.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.Cli;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.LocalSystem;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Checks that the program accepts the commands that a text proposes. */
public final class TypedLines {
    private static final Pattern QUOTED = Pattern.compile("'(peerlane [^']+)'");
    private static final Pattern OPTION = Pattern.compile("(?<![\\w-])(--[a-z-]+)");

    private final CommandLine program;

    public TypedLines() {
        Terminal terminal =
                new Terminal(
                        new BufferedReader(new StringReader("")),
                        new PrintWriter(new StringWriter()),
                        new PrintWriter(new StringWriter()),
                        false,
                        null);
        program =
                Cli.program(
                        new Context(terminal, new Interruption(), List.of(), LocalSystem.local()));
    }

    /**
     * Checks the quoted lines of a text, and its options outside them. A line without arguments
     * only names a command.
     *
     * @param commands the commands that options outside a quoted line may belong to
     * @return the lines and options found
     */
    public List<String> check(String text, String... commands) {
        List<String> found = new ArrayList<>();
        Matcher lines = QUOTED.matcher(text);
        while (lines.find()) {
            found.add(lines.group(1));
            parse(lines.group(1));
        }
        String rest = QUOTED.matcher(text).replaceAll("");
        assertThat(rest).as("a command without quotation marks").doesNotContain("peerlane ");
        Matcher options = OPTION.matcher(rest);
        while (options.find()) {
            found.add(options.group(1));
            assertThat(commands)
                    .as("commands with %s: %s", options.group(1), text)
                    .anyMatch(c -> optionOf(c, options.group(1)) != null);
        }
        return found;
    }

    /** Parses a line as typed. */
    public void parse(String line) {
        String[] words = line.split(" ");
        assertThat(words[0]).isEqualTo("peerlane");
        CommandLine command = program.getSubcommands().get(words[1]);
        assertThat(command).as(line).isNotNull();
        if (words.length > 2) {
            program.parseArgs(
                    Stream.of(words)
                            .skip(1)
                            .map(w -> w.equals("DEVICE") || w.equals("SOURCE") ? "emu:ssd0" : w)
                            .map(w -> w.equals("TARGET") ? "emu:ssd1" : w)
                            .toArray(String[]::new));
        }
    }

    private OptionSpec optionOf(String command, String option) {
        return program.getSubcommands().get(command).getCommandSpec().findOption(option);
    }
}
