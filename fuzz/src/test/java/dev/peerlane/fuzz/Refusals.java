package dev.peerlane.fuzz;

import dev.peerlane.PeerlaneException;

/** What a typed error must be: something that a person can read and act on. */
public final class Refusals {
    private Refusals() {}

    /** Checks that it is. */
    public static void check(PeerlaneException e) {
        if (e.code().isEmpty()
                || e.remedy().isEmpty()
                || e.getMessage() == null
                || e.getMessage().isEmpty()) {
            throw new AssertionError("an error without code, message or remedy", e);
        }
    }
}
