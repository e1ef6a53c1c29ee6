package dev.peerlane.cli.binding;

import dev.peerlane.PeerlaneException;
import dev.peerlane.binding.BindPlan;
import dev.peerlane.binding.Binder;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Deed;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.pci.Bdf;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Operations shared by the commands that change drivers. */
public final class Binding {
    private Binding() {}

    /** Prints what was or would be done. */
    static void tell(Context context, boolean json, BindPlan plan, Deed deed) {
        if (json) {
            Json.print(context.terminal().out(), BindDocument.of(plan, deed));
        } else {
            BindView.print(context.terminal().out(), plan, deed);
        }
        plan.notes().forEach(note -> context.terminal().say("Note: " + note + "."));
    }

    /**
     * Returns functions to their former drivers. Never throws, so that the result of the copy can
     * be printed first.
     *
     * @return the error, or null
     */
    public static @Nullable PeerlaneException giveBack(Context context, List<Bdf> functions) {
        Terminal terminal = context.terminal();
        try {
            Binder binder = context.system().binder();
            BindPlan back = binder.unbind(functions);
            binder.apply(back);
            back.moves().stream()
                    .filter(m -> !m.steps().isEmpty())
                    .forEach(m -> terminal.say(BindView.done(m)));
            back.notes().forEach(note -> terminal.say("Note: " + note + "."));
            return null;
        } catch (PeerlaneException e) {
            return e;
        }
    }
}
