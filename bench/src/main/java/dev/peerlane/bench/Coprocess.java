package dev.peerlane.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A child process that answers each line with one line, after a first line about itself. */
final class Coprocess implements AutoCloseable {
    private final Process process;
    private final BufferedReader from;
    private final PrintStream to;
    private final List<String> hello;

    Coprocess(List<String> command) throws IOException {
        process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        from =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
        to = new PrintStream(process.getOutputStream(), true, StandardCharsets.US_ASCII);
        hello = List.of(receive().split(" ", -1));
    }

    /** Returns the words of its first line. */
    List<String> hello() {
        return hello;
    }

    /** Checks that the program started properly. */
    void expectReady() throws IOException {
        if (!hello.equals(List.of("ready"))) {
            throw new IOException("unexpected first line: " + hello);
        }
    }

    /** Sends a line and returns the answer. */
    String ask(String line) throws IOException {
        send(line);
        return receive();
    }

    /** Sends a line without waiting for the answer. */
    void send(String line) {
        to.println(line);
    }

    /** Returns the next line of its output. */
    String receive() throws IOException {
        String line = from.readLine();
        if (line == null) {
            throw new IOException("it ended: " + process.info().commandLine().orElse("?"));
        }
        return line;
    }

    /** Kills it. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
