package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.terminal.ResultWriter;
import dev.peerlane.cli.terminal.Terminal;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Reports errors: a line on standard error, and a JSON document if requested. */
public final class Failures {
    private static final String BUG = "bug";

    /**
     * 128 plus the number of SIGPIPE, the status that a shell reports for a program that SIGPIPE
     * ended.
     */
    private static final int STATUS_OF_SIGPIPE = 141;

    private Failures() {}

    /** Prints an error and its remedy. */
    public static void say(Context context, PeerlaneException e) {
        Terminal terminal = context.terminal();
        terminal.say("peerlane: " + Remedies.explain(e));
        if (context.verbose()) {
            e.printStackTrace(terminal.err());
            terminal.err().flush();
        }
    }

    /**
     * Reports what a command threw, and returns the exit status.
     *
     * @param command the command, or null if there is none
     */
    public static int thrown(Context context, Throwable e, @Nullable Object command) {
        if (e instanceof PeerlaneException p) {
            return refused(context, p, command);
        }
        PeerlaneException bug = bug(e);
        return tell(
                context,
                bug,
                command instanceof OwnRefusal own ? own.failed(bug) : ErrorDocument.of(bug));
    }

    private static int refused(Context context, PeerlaneException e, @Nullable Object command) {
        return tell(
                context,
                e,
                command instanceof OwnRefusal own ? own.refused(e) : ErrorDocument.of(e));
    }

    private static int tell(Context context, PeerlaneException e, Object document) {
        if (context.json()) {
            Json.print(context.terminal().out(), document);
        }
        say(context, e);
        return ExitStatus.of(e);
    }

    /** Reports invalid arguments, and returns the exit status. */
    public static int usage(Context context, ParameterException e) {
        CommandLine command = e.getCommandLine();
        String hint = "";
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> near = unmatched.getSuggestions();
            hint = near.isEmpty() ? "" : "Did you mean " + String.join(" or ", near) + "? ";
        }
        boolean program = command.getParent() == null;
        String help = "See 'peerlane help" + (program ? "" : " " + command.getCommandName()) + "'";
        String message = String.valueOf(e.getMessage()).replaceFirst("\\.$", "");
        return refused(
                context,
                PeerlaneException.request("usage", message, hint + help),
                command.getCommand());
    }

    /**
     * Reports that standard output could not be written, and returns an exit status that is never
     * 0. If the reader of the output is gone, reports nothing and returns the status that other
     * programs have then.
     */
    public static int outputLost(Context context, int status) {
        ResultWriter out = context.terminal().result();
        if (out != null && out.isUnread()) {
            return status == 0 ? STATUS_OF_SIGPIPE : status;
        }
        PeerlaneException lost =
                PeerlaneException.machine(
                        "output-lost",
                        "can't write to standard output" + context.terminal().whyLost(),
                        "Free space there, or redirect the output");
        say(context, lost);
        return status == 0 ? ExitStatus.of(lost) : status;
    }

    /**
     * Returns the error for a bug. The exit status is that of a failure, because the state of the
     * data is unknown.
     */
    private static PeerlaneException bug(Throwable e) {
        return new PeerlaneException(
                PeerlaneException.Category.IO,
                BUG,
                "This is a bug in Peerlane: " + e,
                "Report it, with what %s=1 prints".formatted(Context.VERBOSE_VARIABLE),
                e);
    }
}
