package dev.peerlane.fuzz;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.peerlane.cli.Cli;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.cli.terminal.VisibleWriter;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Fuzzes the arguments of all commands. Each run ends in time with a documented status, prints no
 * control characters, prints exactly one document if JSON is requested, and changes nothing outside
 * a private directory. A run that does not end is interrupted.
 */
public final class ArgumentsTarget {
    private static final Set<Integer> STATUSES = Set.of(0, 1, 2, 3, 4, 130);

    /** The only commands that change drivers; copies do so with --restore-drivers. */
    private static final Set<String> BINDING = Set.of("bind", "unbind", "copy", "cmb-copy");

    private static final int PATIENCE_MILLIS = 1500;
    private static final long MOST_NANOS = 20_000_000_000L;
    private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();
    private static final List<String> ANSWERS = List.of("", "yes\n", "no\n", "\u001b\n");
    private static final ObjectMapper MAPPER =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final Path HERE = Path.of("").toAbsolutePath();
    private static final List<String> WHAT_IS_HERE = FuzzedSystem.names(HERE);

    private static final ScheduledExecutorService WATCH =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("watch").factory());

    private final List<String> arguments;
    private final FuzzedSystem host;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Interruption interruption = new Interruption();
    private final Context context;

    private ArgumentsTarget(FuzzedSystem host, List<String> arguments, int answer) {
        this.host = host;
        this.arguments = arguments;
        Terminal terminal =
                new Terminal(
                        new BufferedReader(new StringReader(ANSWERS.get(answer))),
                        new PrintWriter(out),
                        new PrintWriter(interruptedWhenServing()),
                        answer > 0,
                        null);
        context = new Context(terminal, interruption, arguments, host.host());
    }

    /** Loads what most runs need, because that takes longer than a run. */
    public static void fuzzerInitialize() {
        for (String line : List.of("#doctor", "#copy\nemu:ssd0@0+8\nemu:ssd1\n-y\n--json")) {
            fuzzerTestOneInput(line.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Runs one input. */
    public static void fuzzerTestOneInput(byte[] data) {
        try (FuzzedSystem host = new FuzzedSystem()) {
            List<String> arguments = FuzzedArguments.of(host, data, program(host));
            int sum = 0;
            for (byte each : data) {
                sum += each;
            }
            int answer = Math.floorMod(sum, ANSWERS.size());
            ArgumentsTarget run = new ArgumentsTarget(host, arguments, answer);
            List<String> confined = run.confined();
            if (confined != null) {
                new ArgumentsTarget(host, confined, answer).run();
            }
        }
    }

    private static CommandLine program(FuzzedSystem host) {
        Terminal nowhere =
                new Terminal(
                        new BufferedReader(new StringReader("")),
                        new PrintWriter(new StringWriter()),
                        new PrintWriter(new StringWriter()),
                        false,
                        null);
        return Cli.program(new Context(nowhere, new Interruption(), List.of(), host.host()));
    }

    private StringWriter interruptedWhenServing() {
        return new StringWriter() {
            @Override
            public void write(String text, int offset, int length) {
                err.write(text, offset, length);
                if (text.startsWith("Data moves") && arguments.contains("serve")) {
                    interruption.request();
                }
            }
        };
    }

    private @Nullable ParseResult parsed() {
        try {
            ParseResult result = program(host).parseArgs(arguments.toArray(String[]::new));
            return result.hasSubcommand() ? result.subcommand() : result;
        } catch (ParameterException e) {
            return null; // no command runs
        }
    }

    /**
     * Returns the arguments, with default files redirected to the private directory, or null if an
     * argument names a place outside it.
     */
    private @Nullable List<String> confined() {
        ParseResult parsed = parsed();
        if (parsed == null) {
            return arguments;
        }
        List<String> all = new ArrayList<>(arguments);
        for (ArgSpec each : parsed.commandSpec().args()) {
            boolean given =
                    each.isOption()
                            ? parsed.hasMatchedOption((OptionSpec) each)
                            : parsed.hasMatchedPositional(
                                    (CommandLine.Model.PositionalParamSpec) each);
            if (given || !(each.getValue() instanceof Path)) {
                for (Object value : values(each)) {
                    if (!isConfined(value, parsed.commandSpec().name())) {
                        return null;
                    }
                }
            } else if (each instanceof OptionSpec option) {
                all.add(1, option.longestName() + "=" + host.folder().resolve("new"));
            }
        }
        return all;
    }

    private static Collection<?> values(ArgSpec of) {
        Object value = of.getValue();
        return value == null ? List.of() : value instanceof Collection<?> c ? c : List.of(value);
    }

    private boolean isConfined(Object value, String command) {
        if (value instanceof Path path) {
            return host.holds(path) || path.toString().equals("-");
        }
        if (!(value instanceof String text)) {
            return true;
        }
        int socket = text.indexOf("vfio-user:");
        String path = socket < 0 ? text : text.substring(socket + "vfio-user:".length());
        boolean opened = socket >= 0 || command.equals("acs");
        return !opened
                || (!path.contains("..") && path.startsWith(host.folder() + "/"))
                || (socket < 0 && path.indexOf('/') < 0 && !arguments.contains("restore"));
    }

    private void run() {
        Future<?> patience =
                WATCH.schedule(interruption::request, PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        String temporary = System.setProperty("java.io.tmpdir", host.temporary().toString());
        System.setIn(new ByteArrayInputStream(new byte[0]));
        long from = CPU.getCurrentThreadCpuTime();
        int status;
        try {
            status =
                    new Cli(context.terminal(), interruption, context.system())
                            .run(arguments.toArray(String[]::new));
        } finally {
            System.setProperty("java.io.tmpdir", temporary);
            patience.cancel(false);
        }
        long nanos = CPU.getCurrentThreadCpuTime() - from; // other processes may load the machine
        check(STATUSES.contains(status), "exit status " + status);
        check(nanos < MOST_NANOS, "it took " + nanos / 1_000_000_000 + " s");
        checkText(out.toString());
        checkText(err.toString());
        check(!err.toString().contains("This is a bug"), "it calls itself a bug");
        check(context.verbose() || !err.toString().contains("\tat "), "a stack trace");
        checkDocument(status);
        checkPlaces();
    }

    private static boolean isObeyed(int character) {
        return VisibleWriter.isControl(character);
    }

    private void checkText(String text) {
        check(text.chars().noneMatch(ArgumentsTarget::isObeyed), "a control character");
        String folder = host.folder().toString();
        check(text.replace(folder, "").indexOf("\n\n\n") < 0, "lines that nobody wrote");
    }

    /**
     * Checks that standard output is exactly one document if JSON is requested, even after an
     * error.
     */
    private void checkDocument(int status) {
        ParseResult parsed = parsed();
        boolean asked = parsed != null && parsed.hasMatchedOption("--json");
        boolean help = parsed == null || parsed.isUsageHelpRequested();
        if (!(asked && !help) && !(status != 0 && arguments.contains("--json"))) {
            return;
        }
        try {
            MAPPER.readTree(out.toString());
        } catch (JsonProcessingException e) {
            throw new AssertionError(told("not one JSON document"), e);
        }
        check(!out.toString().isBlank(), "no document");
    }

    private void checkPlaces() {
        for (String name : FuzzedSystem.names(HERE)) { // other processes may write here too
            boolean ours = name.startsWith("peerlane-") || arguments.contains(name);
            check(!ours || WHAT_IS_HERE.contains(name), "new in " + HERE + ": " + name);
        }
        List<String> left = FuzzedSystem.names(host.temporary());
        check(left.isEmpty(), "left behind: " + left);
        String command = arguments.isEmpty() ? "" : arguments.getFirst();
        check(
                host.writes().isEmpty() || BINDING.contains(command),
                "written to sysfs: " + host.writes());
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(told(what));
        }
    }

    private String told(String what) {
        return "%s after %s\n%s\n%s".formatted(what, arguments, out, err);
    }
}
