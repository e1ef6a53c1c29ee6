package dev.peerlane.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** The program without the process around it: arguments in, an exit status out. */
public final class Cli {
    private static final int COLUMNS = 100;

    private final Terminal terminal;
    private final Interruption interruption;
    private final Host host;

    /**
     * Creates it, for this machine.
     *
     * @param terminal its streams
     * @param interruption ends what runs when the user asks for it
     */
    public Cli(Terminal terminal, Interruption interruption) {
        this(terminal, interruption, Host.local());
    }

    Cli(Terminal terminal, Interruption interruption, Host host) {
        this.terminal = terminal;
        this.interruption = interruption;
        this.host = host;
    }

    /** Runs one command and returns the exit status. Never throws for what a user can cause. */
    public int run(String... args) {
        Context context = new Context(terminal, interruption, List.of(args), host);
        CommandLine program = program(context);
        program.setParameterExceptionHandler((e, given) -> Failures.usage(context, e));
        program.setExecutionExceptionHandler(
                (e, command, parsed) -> Failures.thrown(context, e, command.getCommandName()));
        int status;
        try {
            status = program.execute(args);
        } catch (Error e) { // picocli hands exceptions to the handler, but no errors
            status = Failures.thrown(context, e, args.length == 0 ? "" : args[0]);
        }
        terminal.out().flush();
        if (terminal.out().checkError()) {
            status = Failures.outputLost(context, status);
        }
        terminal.err().flush();
        return status;
    }

    /** Returns all commands and options. */
    static CommandLine program(Context context) {
        return new CommandLine(new PeerlaneCommand(context))
                .addSubcommand(new CopyCommand(context))
                .addSubcommand(new CmbCopyCommand(context))
                .addSubcommand(new ListCommand(context))
                .addSubcommand(new BindCommand(context))
                .addSubcommand(new UnbindCommand(context))
                .addSubcommand(new IdentifyCommand(context))
                .addSubcommand(new CmbCommand(context))
                .addSubcommand(new TopologyCommand(context))
                .addSubcommand(new DoctorCommand(context))
                .addSubcommand(new AcsCommand(context))
                .addSubcommand(new CaptureCommand(context))
                .addSubcommand(new LitmusCommand(context))
                .addSubcommand(new BenchCommand(context))
                .addSubcommand(new DemoCommand(context))
                .addSubcommand(new ServeCommand(context))
                .addSubcommand(new CompletionCommand(context))
                .addSubcommand(new HelpCommand(context))
                .setOut(context.terminal().out())
                .setErr(context.terminal().err())
                .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
                .setExpandAtFiles(false)
                .setUsageHelpWidth(COLUMNS)
                .setUsageHelpLongOptionsMaxWidth(32);
    }
}
