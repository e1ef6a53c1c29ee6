package dev.peerlane.cli.binding;

import dev.peerlane.binding.BindPlan;
import dev.peerlane.cli.shared.Deed;
import java.io.PrintWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Prints as text which driver changes were or would be made. */
final class BindView {
    private BindView() {}

    /** Prints the changes that were or would be made. */
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

    /** Returns a sentence about a change that was made. */
    static String done(BindPlan.Move move) {
        return "%s moved from %s to %s."
                .formatted(move.bdf(), driver(move.from()), driver(move.to()));
    }

    /** Returns a sentence about a change that would be made. */
    static String planned(BindPlan.Move move) {
        return "%s goes from %s to %s."
                .formatted(move.bdf(), driver(move.from()), driver(move.to()));
    }

    private static String driver(@Nullable String driver) {
        return driver == null ? "no driver" : driver;
    }
}
