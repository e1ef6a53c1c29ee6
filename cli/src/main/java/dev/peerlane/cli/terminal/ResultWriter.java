package dev.peerlane.cli.terminal;

import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.Charset;
import org.jspecify.annotations.Nullable;

/**
 * Writes standard output. Keeps the error if it can't be written, which a {@link PrintWriter}
 * discards.
 */
public final class ResultWriter extends PrintWriter {
    /** The kind of standard output. */
    public enum Sink {
        /** A pipe, whose reader may end. */
        PIPE,
        /** A terminal, a file, or unknown. */
        OTHER
    }

    private final Watched watched;

    /**
     * Creates the writer.
     *
     * @param sink the kind of output
     */
    public ResultWriter(OutputStream to, Charset charset, Sink sink) {
        this(new Watched(new OutputStreamWriter(to, charset), sink));
    }

    private ResultWriter(Watched watched) {
        super(watched);
        this.watched = watched;
    }

    /** Returns the error that lost output, or null. */
    @Nullable IOException failure() {
        return watched.failure;
    }

    /** Returns whether output was lost because its reader ended, as with {@code head}. */
    public boolean isUnread() {
        IOException why = watched.failure;
        // a pipe fails for no other reason, and the text is in the user's language
        return why != null
                && (watched.sink == Sink.PIPE
                        || String.valueOf(why.getMessage()).contains("Broken pipe"));
    }

    private static final class Watched extends Writer {
        private final Writer to;
        private final Sink sink;
        private @Nullable IOException failure;

        Watched(Writer to, Sink sink) {
            this.to = to;
            this.sink = sink;
        }

        @Override
        public void write(char[] text, int offset, int length) throws IOException {
            try {
                to.write(text, offset, length);
            } catch (IOException e) {
                throw first(e);
            }
        }

        @Override
        public void flush() throws IOException {
            try {
                to.flush();
            } catch (IOException e) {
                throw first(e);
            }
        }

        @Override
        public void close() throws IOException {
            to.close();
        }

        private IOException first(IOException e) {
            if (failure == null) {
                failure = e;
            }
            return e;
        }
    }
}
