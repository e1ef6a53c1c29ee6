package dev.peerlane.cli.terminal;

import dev.peerlane.copy.Progress;
import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Draws a bar for each phase of a copy, with its progress, rate and remaining time. */
public final class ProgressDisplay implements Progress, AutoCloseable {
    private static final int COLUMNS = 78;
    private static final int REDRAW_MILLIS = 200;
    private static final long MIB = 1L << 20;

    private final PrintStream stream;
    private @Nullable ProgressBar bar;
    private @Nullable Phase shown;

    private ProgressDisplay(PrintStream stream) {
        this.stream = stream;
    }

    /** Work that reports its progress. */
    public interface Work<T> {
        T with(Progress progress);
    }

    /** Runs work, with a display if there is a terminal to draw on. */
    public static <T> T during(Terminal terminal, Work<T> work) {
        PrintStream stream = terminal.progress();
        if (stream == null) {
            return work.with(Progress.NONE);
        }
        try (ProgressDisplay display = new ProgressDisplay(stream)) {
            return work.with(display);
        }
    }

    @Override
    public void update(Phase phase, long doneBytes, long totalBytes) {
        ProgressBar current = bar;
        if (current == null || shown != phase) {
            close();
            current =
                    new ProgressBarBuilder()
                            .setTaskName(phase == Phase.COPY ? "Copying  " : "Verifying")
                            .setInitialMax(totalBytes)
                            .setUnit(" MiB", MIB)
                            .showSpeed()
                            .setStyle(ProgressBarStyle.ASCII)
                            .setUpdateIntervalMillis(REDRAW_MILLIS)
                            .setConsumer(new ConsoleProgressBarConsumer(stream, COLUMNS))
                            .build();
            bar = current;
            shown = phase;
        }
        current.stepTo(doneBytes);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
