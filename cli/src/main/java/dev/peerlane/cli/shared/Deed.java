package dev.peerlane.cli.shared;

import java.util.Locale;

/** What a command that changes the machine has done. */
public enum Deed {
    /** Nothing, because no change was needed. */
    NOTHING,
    /** Nothing: it was a dry run. */
    PLANNED,
    /** All changes. */
    DONE;

    /** Returns the word for it in documents. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
