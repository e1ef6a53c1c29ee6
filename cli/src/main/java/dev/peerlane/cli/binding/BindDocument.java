package dev.peerlane.cli.binding;

import dev.peerlane.binding.BindPlan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What was or would be done to drivers. */
record BindDocument(
        String schema,
        String result,
        List<Moved> functions,
        List<String> steps,
        List<String> notes) {
    static final String SCHEMA = "peerlane.bind/1";

    static BindDocument of(BindPlan plan, boolean done) {
        String result = plan.lines().isEmpty() ? "nothing" : done ? "done" : "planned";
        List<Moved> moved =
                plan.moves().stream()
                        .map(m -> new Moved(m.bdf().toString(), m.from(), m.to()))
                        .toList();
        return new BindDocument(SCHEMA, result, moved, plan.lines(), plan.notes());
    }

    /** One function's way; null is no driver. */
    record Moved(String address, @Nullable String from, @Nullable String to) {}
}
