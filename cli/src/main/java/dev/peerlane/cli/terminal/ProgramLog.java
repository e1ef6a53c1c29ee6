package dev.peerlane.cli.terminal;

import java.io.PrintWriter;
import java.text.MessageFormat;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * Sends the library's log to standard error with {@code --verbose}, otherwise discards it. Errors,
 * receipts and announcements already report all that a user must know.
 */
public final class ProgramLog extends System.LoggerFinder {
    private static volatile @Nullable PrintWriter destination;

    /** Creates the finder. The virtual machine calls this through the service file. */
    public ProgramLog() {}

    /** Sets the destination of messages; null discards them. */
    public static void to(@Nullable PrintWriter where) {
        destination = where;
    }

    @Override
    public System.Logger getLogger(String name, Module module) {
        return new Log(name);
    }

    private record Log(String name) implements System.Logger {
        @Override
        public String getName() {
            return name;
        }

        @Override
        public boolean isLoggable(Level level) {
            return destination != null && level.getSeverity() >= Level.DEBUG.getSeverity();
        }

        @Override
        public void log(
                Level level,
                @Nullable ResourceBundle bundle,
                @Nullable String message,
                @Nullable Throwable thrown) {
            PrintWriter to = destination;
            if (to != null && isLoggable(level)) {
                to.println(name + ": " + message);
                if (thrown != null) {
                    thrown.printStackTrace(to);
                }
                to.flush();
            }
        }

        @Override
        public void log(
                Level level,
                @Nullable ResourceBundle bundle,
                @Nullable String format,
                @Nullable Object @Nullable ... params) {
            boolean plain = format == null || params == null || params.length == 0;
            log(
                    level,
                    bundle,
                    plain ? format : MessageFormat.format(format, params),
                    (Throwable) null);
        }
    }
}
