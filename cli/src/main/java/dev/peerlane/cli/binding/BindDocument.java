package dev.peerlane.cli.binding;

import dev.peerlane.binding.BindPlan;
import dev.peerlane.cli.shared.Deed;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The JSON document of {@code bind} and {@code unbind}: driver changes that were or would be made.
 */
record BindDocument(
        String schema,
        String result,
        List<Moved> functions,
        List<String> steps,
        List<String> notes) {
    private static final String SCHEMA = "peerlane.bind/1";

    static BindDocument of(BindPlan plan, Deed deed) {
        String result = (plan.lines().isEmpty() ? Deed.NOTHING : deed).word();
        List<Moved> moved =
                plan.moves().stream()
                        .map(m -> new Moved(m.bdf().toString(), m.from(), m.to()))
                        .toList();
        return new BindDocument(SCHEMA, result, moved, plan.lines(), plan.notes());
    }

    /** A function's change of driver; null means no driver. */
    record Moved(String address, @Nullable String from, @Nullable String to) {}
}
