package dev.peerlane.cli.terminal;

import dev.peerlane.PeerlaneException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The standard streams of the program.
 *
 * @param in the stream of answers
 * @param out the stream of results, and nothing else
 * @param err the stream of everything else
 * @param asks whether a user can answer questions
 * @param progress the stream for progress bars, or null for none
 */
public record Terminal(
        BufferedReader in,
        PrintWriter out,
        PrintWriter err,
        boolean asks,
        @Nullable PrintStream progress) {
    /** Makes the streams safe for untrusted text: nothing printed can control the terminal. */
    public Terminal {
        out = VisibleWriter.before(out);
        err = VisibleWriter.before(err);
    }

    /** Returns standard output as a {@link ResultWriter}, or null if it isn't one. */
    public @Nullable ResultWriter result() {
        return VisibleWriter.before(out).to() instanceof ResultWriter result ? result : null;
    }

    /** Returns the reason why results were lost, as a suffix for a message. */
    public String whyLost() {
        ResultWriter result = result();
        IOException why = result == null ? null : result.failure();
        return why == null ? "" : ": " + why.getMessage();
    }

    /** Writes a line about the run, such as a warning. */
    public void say(String line) {
        err.println(line);
        err.flush();
    }

    /**
     * Asks a question and waits for the answer, or for an interruption.
     *
     * @return the answer without surrounding whitespace; empty at end of input
     * @throws PeerlaneException of category INTERRUPTED if the user interrupts instead
     */
    public String ask(String question, Interruption interruption) {
        err.print(question);
        err.flush();
        CompletableFuture<String> answer = new CompletableFuture<>();
        // A blocking read of the terminal can't be cancelled, so it has a thread that may outlive
        // it.
        Thread.ofPlatform().daemon().name("answer").start(() -> answer.complete(readLine()));
        interruption.onRequest(() -> answer.complete(""));
        String line = answer.join();
        interruption.check();
        return line.strip();
    }

    private String readLine() {
        try {
            String line = in.readLine();
            return line == null ? "" : line;
        } catch (IOException e) {
            return "";
        }
    }
}
