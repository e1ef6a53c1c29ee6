package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.terminal.Terminal;
import java.util.Locale;

/** The question before something is overwritten. */
public final class Confirmation {
    private Confirmation() {}

    /**
     * Asks, unless the answer was given with the command.
     *
     * @param yes whether it was
     * @param what what would be overwritten, a sentence
     * @throws PeerlaneException of category REFUSED if nobody says yes
     */
    public static void ask(Context context, boolean yes, String what) {
        if (yes) {
            return;
        }
        Terminal terminal = context.terminal();
        if (!terminal.asks()) {
            throw PeerlaneException.refused(
                    "not-confirmed",
                    what.substring(0, what.length() - 1) + ", and nobody is there to confirm it",
                    "Nothing was written: say --yes if that is what you want");
        }
        terminal.say(what);
        String answer =
                terminal.ask("Go on? Type yes: ", context.interruption()).toLowerCase(Locale.ROOT);
        if (!answer.equals("yes") && !answer.equals("y")) {
            throw PeerlaneException.refused(
                    "not-confirmed",
                    "It was not confirmed",
                    "Nothing was written: answer yes, or say --yes");
        }
    }
}
