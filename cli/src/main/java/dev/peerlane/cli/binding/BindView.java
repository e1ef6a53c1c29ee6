package dev.peerlane.cli.binding;

import dev.peerlane.binding.BindPlan;
import dev.peerlane.cli.shared.Deed;
import java.io.PrintWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is or would be done to drivers, as a person reads it. */
final class BindView {
    private BindView() {}

    /** Prints what is or would be done. */
    static void print(PrintWriter out, BindPlan plan, Deed deed) {
        List<BindPlan.Move> moves =
                plan.moves().stream().filter(m -> !m.steps().isEmpty()).toList();
        if (moves.isEmpty()) {
            out.println("Nothing to do.");
        } else if (deed == Deed.DONE) {
            moves.forEach(m -> out.println(done(m)));
        } else {
            moves.forEach(m -> out.println(planned(m)));
            plan.lines().forEach(line -> out.println("  " + line));
            out.println("Nothing was written.");
        }
        out.flush();
    }

    /** Returns what was done as a sentence. */
    static String done(BindPlan.Move move) {
        return "%s was with %s, and is with %s now."
                .formatted(move.bdf(), driver(move.from()), driver(move.to()));
    }

    /** Returns what would be done as a sentence. */
    static String planned(BindPlan.Move move) {
        return "%s goes from %s to %s."
                .formatted(move.bdf(), driver(move.from()), driver(move.to()));
    }

    private static String driver(@Nullable String driver) {
        return driver == null ? "no driver" : driver;
    }
}
