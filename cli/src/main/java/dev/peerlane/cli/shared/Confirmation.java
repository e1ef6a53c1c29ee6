package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.terminal.Terminal;
import java.util.Locale;

/** Asks for confirmation before something is overwritten or changed. */
public final class Confirmation {
    private Confirmation() {}

    /**
     * Asks whether to overwrite something.
     *
     * @param what a sentence about what would be overwritten
     * @throws PeerlaneException of category REFUSED if it is not confirmed
     */
    public static void ask(Context context, String what) {
        Terminal terminal = context.terminal();
        if (!terminal.asks()) {
            throw PeerlaneException.refused(
                    "not-confirmed",
                    what.substring(0, what.length() - 1)
                            + ", and there is no terminal to"
                            + " confirm it",
                    "Nothing was written: add --yes to go on");
        }
        terminal.say(what);
        goOn(context, "Nothing was written");
    }

    /**
     * Asks whether to go on. What the command will do has been printed before.
     *
     * @param untouched what to report if the answer is no
     * @throws PeerlaneException of category REFUSED if the answer is not yes
     */
    public static void goOn(Context context, String untouched) {
        String answer =
                context.terminal()
                        .ask("Go on? Type yes: ", context.interruption())
                        .toLowerCase(Locale.ROOT);
        if (!answer.equals("yes") && !answer.equals("y")) {
            throw PeerlaneException.refused(
                    "not-confirmed", "Not confirmed", untouched + ": answer yes, or add --yes");
        }
    }
}
