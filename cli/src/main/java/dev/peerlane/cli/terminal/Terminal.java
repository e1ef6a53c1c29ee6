package dev.peerlane.cli.terminal;

import dev.peerlane.PeerlaneException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The streams of the program.
 *
 * @param in where answers come from
 * @param out results only
 * @param err everything else
 * @param asks whether a person is there to answer
 * @param progress where progress is drawn, or null for nowhere
 */
public record Terminal(
        BufferedReader in,
        PrintWriter out,
        PrintWriter err,
        boolean asks,
        @Nullable PrintStream progress) {
    /** Shows what strangers wrote: nothing that is printed can make a terminal do something. */
    public Terminal {
        out = VisibleWriter.before(out);
        err = VisibleWriter.before(err);
    }

    /** Returns the standard output that remembers why it was lost, where it is one. */
    public @Nullable ResultWriter result() {
        return VisibleWriter.before(out).to() instanceof ResultWriter result ? result : null;
    }

    /** Returns the reason why results were lost, to go on behind what is said of it. */
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
     * Asks a question and waits for the answer, or for the interruption.
     *
     * @return the answer without surrounding blanks; empty at the end of the input
     * @throws PeerlaneException of category INTERRUPTED if the user gave up instead
     */
    public String ask(String question, Interruption interruption) {
        err.print(question);
        err.flush();
        CompletableFuture<String> answer = new CompletableFuture<>();
        // A read of the terminal can't be ended from outside, so it has a thread that may stay.
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
