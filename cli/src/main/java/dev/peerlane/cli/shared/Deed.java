package dev.peerlane.cli.shared;

import java.util.Locale;

/** What a command did that changes the machine. */
public enum Deed {
    /** Nothing, for nothing was to be done. */
    NOTHING,
    /** Nothing yet: it was asked for what it would do. */
    PLANNED,
    /** All of it. */
    DONE;

    /** Returns it as documents name it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
