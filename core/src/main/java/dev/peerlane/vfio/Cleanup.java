package dev.peerlane.vfio;

import org.jspecify.annotations.Nullable;

/** Runs every step of an undoing, whatever becomes of the one before, and tells the first error. */
final class Cleanup {
    private @Nullable RuntimeException first;

    /** Runs a step. */
    Cleanup step(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            if (first == null) {
                first = e;
            } else if (first != e) {
                first.addSuppressed(e);
            }
        }
        return this;
    }

    /** Throws what the first step that failed threw. */
    void finish() {
        if (first != null) {
            throw first;
        }
    }

    /** Adds what failed to an error that is on its way. */
    void finish(Throwable cause) {
        if (first != null) {
            cause.addSuppressed(first);
        }
    }
}
