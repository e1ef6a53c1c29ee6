package dev.peerlane.cli.terminal;

import java.io.PrintWriter;
import java.text.MessageFormat;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * Where the library's log goes in the program: to standard error if {@code --verbose} asks for it,
 * else nowhere. What a user has to know is in errors, receipts and announcements, said once.
 */
public final class ProgramLog extends System.LoggerFinder {
    private static volatile @Nullable PrintWriter destination;

    /** Creates the finder; the virtual machine does, by its service file. */
    public ProgramLog() {}

    /** Sets where messages go from now on; null for nowhere. */
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
