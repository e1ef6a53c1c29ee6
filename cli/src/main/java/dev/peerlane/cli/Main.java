package dev.peerlane.cli;

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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The process around {@link Cli}: its streams, its exit status, and Ctrl-C.
 *
 * <p>A signal makes the virtual machine run its shutdown hooks, and end with 128 and the signal's
 * number when they return: 130 for Ctrl-C. The hook here asks the running command to stop and waits
 * until it has: the thread that owns the devices ends the copy and shuts them down.
 */
public final class Main {
    private static final long STOP_SECONDS = 15;

    private Main() {}

    /** Runs the program. */
    public static void main(String[] args) {
        Terminal terminal = terminal();
        Interruption interruption = new Interruption();
        CountDownLatch finished = new CountDownLatch(1);
        Thread hook =
                Thread.ofPlatform().name("stop").unstarted(() -> stop(interruption, finished));
        Runtime.getRuntime().addShutdownHook(hook);
        int status;
        try {
            status = new Cli(terminal, interruption).run(args);
        } finally {
            finished.countDown();
        }
        // After a signal this waits for the end of the process, whose status is the signal's.
        System.exit(status);
    }

    private static void stop(Interruption interruption, CountDownLatch finished) {
        if (finished.getCount() == 0) {
            return;
        }
        interruption.request();
        boolean ended = false;
        try {
            ended = finished.await(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!ended) {
            System.err.printf(
                    "peerlane: the devices could not be shut down in %d seconds.%n", STOP_SECONDS);
        }
    }

    private static Terminal terminal() {
        return new Terminal(
                new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())),
                writer(
                        FileDescriptor.out,
                        isTerminal(1) ? System.out.charset() : StandardCharsets.UTF_8),
                writer(FileDescriptor.err, System.err.charset()),
                isTerminal(0) && isTerminal(2),
                isTerminal(2) ? System.err : null);
    }

    private static PrintWriter writer(FileDescriptor to, Charset charset) {
        return new PrintWriter(new OutputStreamWriter(new FileOutputStream(to), charset));
    }

    /** Returns whether a file descriptor is a terminal; where that can't be seen, a guess. */
    private static boolean isTerminal(int descriptor) {
        try {
            String file = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
            return file.startsWith("/dev/pts/")
                    || file.startsWith("/dev/tty")
                    || file.equals("/dev/console");
        } catch (IOException e) {
            return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        }
    }
}
