package dev.peerlane.cli;

import dev.peerlane.cli.acs.AcsCommand;
import dev.peerlane.cli.bench.BenchCommand;
import dev.peerlane.cli.binding.BindCommand;
import dev.peerlane.cli.binding.UnbindCommand;
import dev.peerlane.cli.capture.CaptureCommand;
import dev.peerlane.cli.copy.CmbCopyCommand;
import dev.peerlane.cli.copy.CopyCommand;
import dev.peerlane.cli.demo.DemoCommand;
import dev.peerlane.cli.devices.CmbCommand;
import dev.peerlane.cli.devices.IdentifyCommand;
import dev.peerlane.cli.devices.ListCommand;
import dev.peerlane.cli.doctor.DoctorCommand;
import dev.peerlane.cli.help.CompletionCommand;
import dev.peerlane.cli.help.HelpCommand;
import dev.peerlane.cli.litmus.LitmusCommand;
import dev.peerlane.cli.serve.ServeCommand;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Failures;
import dev.peerlane.cli.shared.LocalSystem;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.ProgramLog;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.cli.topology.TopologyCommand;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** The program without the process around it: arguments in, an exit status out. */
public final class Cli {
    private static final int COLUMNS = 100;

    /** The commands, in the order in which help lists them. */
    private static final List<String> COMMANDS =
            List.of(
                    "copy",
                    "cmb-copy",
                    "list",
                    "bind",
                    "unbind",
                    "identify",
                    "cmb",
                    "topology",
                    "doctor",
                    "acs",
                    "capture",
                    "litmus",
                    "bench",
                    "demo",
                    "serve",
                    "completion",
                    "help");

    /** The commands that need all others. */
    private static final Set<String> OF_ALL = Set.of("completion", "help");

    private static final Set<String> VERBOSE = Set.of("-v", "--verbose");

    private static final Set<String> VERSION = Set.of("-V", "--version");

    private final Terminal terminal;
    private final Interruption interruption;
    private final LocalSystem system;

    /**
     * Creates the program for this machine.
     *
     * @param terminal its streams
     * @param interruption stops the running command when the user asks for it
     */
    public Cli(Terminal terminal, Interruption interruption) {
        this(terminal, interruption, LocalSystem.local());
    }

    /**
     * Creates the program for a system.
     *
     * @param system its files and system calls
     */
    public Cli(Terminal terminal, Interruption interruption, LocalSystem system) {
        this.terminal = terminal;
        this.interruption = interruption;
        this.system = system;
    }

    /** Runs one command and returns the exit status. Throws nothing that a user can cause. */
    public int run(String... args) {
        Context context = new Context(terminal, interruption, List.of(args), system);
        CommandLine program = program(context, List.of(args));
        program.setExecutionStrategy(parsed -> {
            ProgramLog.to(context.verbose() ? terminal.err() : null);
            interruption.awaitHearing();
            return new CommandLine.RunLast().execute(parsed);
        });
        program.setParameterExceptionHandler((e, given) -> Failures.usage(context, e));
        program.setExecutionExceptionHandler(
                (e, command, parsed) -> Failures.thrown(context, e, command.getCommand()));
        int status;
        try {
            status = program.execute(args);
        } catch (Error e) { // picocli hands exceptions to the handler, but no errors
            CommandLine command = args.length == 0 ? null : program.getSubcommands().get(args[0]);
            status = Failures.thrown(context, e, command == null ? null : command.getCommand());
        }
        terminal.out().flush();
        if (terminal.out().checkError()) {
            status = Failures.outputLost(context, status);
        }
        terminal.err().flush();
        return status;
    }

    /** Returns all commands and options. */
    public static CommandLine program(Context context) {
        return with(context, COMMANDS);
    }

    /**
     * Returns a program with only the commands that the arguments need, since creating each command
     * delays every start: the command named first, none for the version, all if none is named.
     */
    static CommandLine program(Context context, List<String> args) {
        List<String> words = args.stream().dropWhile(VERBOSE::contains).toList();
        if (words.size() == 1 && VERSION.contains(words.getFirst())) {
            return with(context, Set.of());
        }
        String first = words.isEmpty() ? "" : words.getFirst();
        boolean alone = COMMANDS.contains(first) && !OF_ALL.contains(first);
        return with(context, alone ? Set.of(first) : COMMANDS);
    }

    private static CommandLine with(Context context, Collection<String> names) {
        CommandLine program = new CommandLine(new PeerlaneCommand(context));
        for (String name : COMMANDS) {
            if (names.contains(name)) {
                program.addSubcommand(command(name, context));
            }
        }
        return program.setOut(context.terminal().out())
                .setErr(context.terminal().err())
                .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
                .setExpandAtFiles(false)
                .setUsageHelpWidth(COLUMNS)
                .setUsageHelpLongOptionsMaxWidth(32);
    }

    /** Creates a command. Classes of other commands are not loaded. */
    private static Object command(String name, Context context) {
        return switch (name) {
            case "copy" -> new CopyCommand(context);
            case "cmb-copy" -> new CmbCopyCommand(context);
            case "list" -> new ListCommand(context);
            case "bind" -> new BindCommand(context);
            case "unbind" -> new UnbindCommand(context);
            case "identify" -> new IdentifyCommand(context);
            case "cmb" -> new CmbCommand(context);
            case "topology" -> new TopologyCommand(context);
            case "doctor" -> new DoctorCommand(context);
            case "acs" -> new AcsCommand(context);
            case "capture" -> new CaptureCommand(context);
            case "litmus" -> new LitmusCommand(context);
            case "bench" -> new BenchCommand(context);
            case "demo" -> new DemoCommand(context);
            case "serve" -> new ServeCommand(context);
            case "completion" -> new CompletionCommand(context);
            case "help" -> new HelpCommand(context);
            default -> throw new IllegalArgumentException(name);
        };
    }
}
