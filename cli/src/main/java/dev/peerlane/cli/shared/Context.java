package dev.peerlane.cli.shared;

import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The environment of every command.
 *
 * @param terminal the standard streams
 * @param interruption the user's request to stop
 * @param args the command line as given
 * @param system the machine that the program runs on
 */
public record Context(
        Terminal terminal, Interruption interruption, List<String> args, LocalSystem system) {
    static final String VERBOSE_VARIABLE = "PEERLANE_VERBOSE";
    private static final Set<String> NO = Set.of("", "0", "no", "false");

    /** Returns whether errors are printed with their stack trace. */
    public boolean verbose() {
        return verbose(System.getenv(), args);
    }

    static boolean verbose(Map<String, String> environment, List<String> args) {
        String variable = environment.get(VERBOSE_VARIABLE);
        return args.contains("-v")
                || args.contains("--verbose")
                || (variable != null && !NO.contains(variable));
    }

    /** Returns whether JSON is requested, even if the arguments are invalid. */
    boolean json() {
        return args.contains("--json");
    }
}
