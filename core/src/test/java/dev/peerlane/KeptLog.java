package dev.peerlane;

import java.util.ArrayDeque;
import java.util.List;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * The library's log in tests. The last lines are kept and nothing is printed, because thousands of
 * simulated controllers fail.
 */
public final class KeptLog extends System.LoggerFinder {
    private static final int MOST = 100;
    private static final ArrayDeque<String> LINES = new ArrayDeque<>();

    /** Returns the last lines of the log: level, logger and message. */
    public static List<String> lines() {
        synchronized (LINES) {
            return List.copyOf(LINES);
        }
    }

    /** Discards the lines. */
    public static void clear() {
        synchronized (LINES) {
            LINES.clear();
        }
    }

    @Override
    public System.Logger getLogger(String name, Module module) {
        return new System.Logger() {
            @Override
            public String getName() {
                return name;
            }

            @Override
            public boolean isLoggable(Level level) {
                return level.getSeverity() >= Level.INFO.getSeverity();
            }

            @Override
            public void log(
                    Level level, ResourceBundle bundle, String message, @Nullable Throwable e) {
                keep(level, message);
            }

            @Override
            public void log(
                    Level level, ResourceBundle bundle, String format, Object @Nullable ... args) {
                keep(level, format);
            }

            private void keep(Level level, String message) {
                if (isLoggable(level)) {
                    synchronized (LINES) {
                        if (LINES.size() == MOST) {
                            LINES.remove();
                        }
                        LINES.add(level + " " + name + ": " + message);
                    }
                }
            }
        };
    }
}
