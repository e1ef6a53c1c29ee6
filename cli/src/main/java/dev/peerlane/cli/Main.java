package dev.peerlane.cli;

import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.ResultWriter;
import dev.peerlane.cli.terminal.Signals;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The process around {@link Cli}: its streams, its exit status, and {@link Signals}. */
public final class Main {
    private Main() {}

    /** Runs the program. */
    public static void main(String[] args) {
        Terminal terminal = terminal();
        Interruption interruption = new Interruption();
        Signals signals = new Signals(interruption, terminal.err(), Runtime.getRuntime()::halt);
        interruption.begin(signals::install);
        if (Boolean.getBoolean(Training.PROPERTY)) {
            int status = Training.run();
            signals.ended();
            System.exit(status);
        }
        int status;
        try {
            status = new Cli(terminal, interruption).run(args);
        } finally {
            interruption.awaitHearing();
            // otherwise the virtual machine and this thread would wait for each other
            signals.ended();
        }
        System.exit(signals.status(status));
    }

    private static Terminal terminal() {
        return new Terminal(
                new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())),
                new ResultWriter(
                        new FileOutputStream(FileDescriptor.out),
                        isTerminal(1) ? System.out.charset() : StandardCharsets.UTF_8,
                        isPipe(1) ? ResultWriter.Sink.PIPE : ResultWriter.Sink.OTHER),
                new PrintWriter(
                        new OutputStreamWriter(
                                new FileOutputStream(FileDescriptor.err), System.err.charset())),
                isTerminal(0) && isTerminal(2),
                isTerminal(2) ? System.err : null);
    }

    /** Returns whether a file descriptor is a terminal. Guesses if that is unknown. */
    private static boolean isTerminal(int descriptor) {
        String file = target(descriptor);
        return file.isEmpty()
                ? Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false)
                : file.startsWith("/dev/pts/")
                        || file.startsWith("/dev/tty")
                        || file.equals("/dev/console");
    }

    private static boolean isPipe(int descriptor) {
        String file = target(descriptor);
        return file.startsWith("pipe:") || file.startsWith("socket:");
    }

    /** Returns the file that a descriptor refers to, or an empty string if unknown. */
    private static String target(int descriptor) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
        } catch (IOException e) {
            return "";
        }
    }
}
