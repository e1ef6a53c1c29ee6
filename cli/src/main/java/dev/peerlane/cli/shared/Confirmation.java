package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.terminal.Terminal;
import java.util.Locale;

/** The question before something is overwritten or changed. */
public final class Confirmation {
    private Confirmation() {}

    /**
     * Asks whether something is overwritten.
     *
     * @param what what would be overwritten, a sentence
     * @throws PeerlaneException of category REFUSED if nobody says yes
     */
    public static void ask(Context context, String what) {
        Terminal terminal = context.terminal();
        if (!terminal.asks()) {
            throw PeerlaneException.refused(
                    "not-confirmed",
                    what.substring(0, what.length() - 1) + ", and nobody is there to confirm it",
                    "Nothing was written: say --yes if that is what you want");
        }
        terminal.say(what);
        goOn(context, "Nothing was written");
    }

    /**
     * Asks whether the command goes on, after a person was told with what.
     *
     * @param untouched what is so if it does not
     * @throws PeerlaneException of category REFUSED if the person does not say yes
     */
    public static void goOn(Context context, String untouched) {
        String answer =
                context.terminal()
                        .ask("Go on? Type yes: ", context.interruption())
                        .toLowerCase(Locale.ROOT);
        if (!answer.equals("yes") && !answer.equals("y")) {
            throw PeerlaneException.refused(
                    "not-confirmed",
                    "It was not confirmed",
                    untouched + ": answer yes, or say --yes");
        }
    }
}
