package dev.peerlane.fuzz;

import dev.peerlane.PeerlaneException;

/** Checks that a typed error is readable and actionable. */
public final class Refusals {
    private Refusals() {}

    /** Checks that an error has a code, a message and a remedy. */
    public static void check(PeerlaneException e) {
        if (e.code().isEmpty()
                || e.remedy().isEmpty()
                || e.getMessage() == null
                || e.getMessage().isEmpty()) {
            throw new AssertionError("an error without code, message or remedy", e);
        }
    }
}
