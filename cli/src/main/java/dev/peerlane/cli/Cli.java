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
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** The program without the process around it: arguments in, an exit status out. */
public final class Cli {
    private static final int COLUMNS = 100;

    /** The maker of each command, by its name. */
    private static final Map<String, Function<Context, Object>> COMMANDS = commands();

    /** Commands that speak of the others. */
    private static final Set<String> OF_ALL = Set.of("completion", "help");

    private static final Set<String> VERBOSE = Set.of("-v", "--verbose");

    private static final Set<String> VERSION = Set.of("-V", "--version");

    private final Terminal terminal;
    private final Interruption interruption;
    private final LocalSystem system;

    /**
     * Creates it, for this machine.
     *
     * @param terminal its streams
     * @param interruption ends what runs when the user asks for it
     */
    public Cli(Terminal terminal, Interruption interruption) {
        this(terminal, interruption, LocalSystem.local());
    }

    public Cli(Terminal terminal, Interruption interruption, LocalSystem system) {
        this.terminal = terminal;
        this.interruption = interruption;
        this.system = system;
    }

    /** Runs one command and returns the exit status. Never throws for what a user can cause. */
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
        return with(context, COMMANDS.keySet());
    }

    /**
     * Returns what the arguments need: the command that they begin with and nothing else, for each
     * that is made takes time at every start; none for the version, all where none is named.
     */
    static CommandLine program(Context context, List<String> args) {
        List<String> words = args.stream().dropWhile(VERBOSE::contains).toList();
        if (words.size() == 1 && VERSION.contains(words.getFirst())) {
            return with(context, Set.of());
        }
        String first = words.isEmpty() ? "" : words.getFirst();
        boolean alone = COMMANDS.containsKey(first) && !OF_ALL.contains(first);
        return with(context, alone ? Set.of(first) : COMMANDS.keySet());
    }

    private static CommandLine with(Context context, Collection<String> names) {
        CommandLine program = new CommandLine(new PeerlaneCommand(context));
        COMMANDS.forEach((name, maker) -> {
            if (names.contains(name)) {
                program.addSubcommand(maker.apply(context));
            }
        });
        return program.setOut(context.terminal().out())
                .setErr(context.terminal().err())
                .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
                .setExpandAtFiles(false)
                .setUsageHelpWidth(COLUMNS)
                .setUsageHelpLongOptionsMaxWidth(32);
    }

    private static Map<String, Function<Context, Object>> commands() {
        Map<String, Function<Context, Object>> all = new LinkedHashMap<>();
        all.put("copy", CopyCommand::new);
        all.put("cmb-copy", CmbCopyCommand::new);
        all.put("list", ListCommand::new);
        all.put("bind", BindCommand::new);
        all.put("unbind", UnbindCommand::new);
        all.put("identify", IdentifyCommand::new);
        all.put("cmb", CmbCommand::new);
        all.put("topology", TopologyCommand::new);
        all.put("doctor", DoctorCommand::new);
        all.put("acs", AcsCommand::new);
        all.put("capture", CaptureCommand::new);
        all.put("litmus", LitmusCommand::new);
        all.put("bench", BenchCommand::new);
        all.put("demo", DemoCommand::new);
        all.put("serve", ServeCommand::new);
        all.put("completion", CompletionCommand::new);
        all.put("help", HelpCommand::new);
        return Collections.unmodifiableMap(all);
    }
}
