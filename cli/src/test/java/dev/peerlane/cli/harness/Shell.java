package dev.peerlane.cli.harness;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.peerlane.cli.Cli;
import dev.peerlane.cli.shared.LocalSystem;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;

/** Runs the program in this process and keeps its output. */
public final class Shell {
    private static final ObjectMapper MAPPER =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final ByteArrayOutputStream drawn = new ByteArrayOutputStream();
    private int status;

    private Shell() {}

    /** Runs it as a script does, without a user. */
    public static Shell run(String... args) {
        return new Shell().start(new StringReader(""), false, new Interruption(), args);
    }

    /** Runs it for another machine, without a user. */
    public static Shell on(LocalSystem host, String... args) {
        Shell shell = new Shell();
        Terminal terminal =
                new Terminal(
                        new BufferedReader(new StringReader("")),
                        new PrintWriter(shell.out),
                        new PrintWriter(shell.err),
                        false,
                        null);
        shell.status = new Cli(terminal, new Interruption(), host).run(args);
        return shell;
    }

    /** Runs it on a terminal with a user who gives this answer. */
    public static Shell answering(String answer, String... args) {
        return new Shell().start(new StringReader(answer), true, new Interruption(), args);
    }

    /**
     * Runs it on a terminal with a user who presses Ctrl-C when a text appears, or at once if it is
     * empty.
     */
    public static Shell interruptedAt(String text, String... args) {
        Shell shell = new Shell();
        Interruption interruption = new Interruption();
        if (text.isEmpty()) {
            interruption.request();
        }
        PrintWriter watched =
                new PrintWriter(shell.err) {
                    @Override
                    public void flush() {
                        super.flush();
                        if (!text.isEmpty() && shell.err.toString().contains(text)) {
                            interruption.request();
                        }
                    }
                };
        Reader silent =
                new Reader() {
                    @Override
                    public int read(char[] buffer, int offset, int length) {
                        while (true) {
                            // a user who never answers; the thread is a daemon
                            java.util.concurrent.locks.LockSupport.park();
                        }
                    }

                    @Override
                    public void close() {}
                };
        Terminal terminal =
                new Terminal(
                        new BufferedReader(silent),
                        new PrintWriter(shell.out),
                        watched,
                        true,
                        null);
        shell.status = new Cli(terminal, interruption).run(args);
        return shell;
    }

    private Shell start(Reader in, boolean person, Interruption interruption, String... args) {
        PrintStream bar = new PrintStream(drawn, true, StandardCharsets.UTF_8);
        Terminal terminal =
                new Terminal(
                        new BufferedReader(in),
                        new PrintWriter(out),
                        new PrintWriter(err),
                        person,
                        person ? bar : null);
        status = new Cli(terminal, interruption).run(args);
        return this;
    }

    public int status() {
        return status;
    }

    public String out() {
        return out.toString();
    }

    public String err() {
        return err.toString();
    }

    public String drawn() {
        return drawn.toString(StandardCharsets.UTF_8);
    }

    /** Returns the only document on standard output. */
    public JsonNode json() {
        return parse(out());
    }

    public static JsonNode parse(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not one JSON document: " + text, e);
        }
    }
}
