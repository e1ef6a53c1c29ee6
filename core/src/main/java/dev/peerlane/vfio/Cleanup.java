package dev.peerlane.vfio;

import dev.peerlane.hal.MemoryFault;
import org.jspecify.annotations.Nullable;

/** Runs every step of an undoing, whatever becomes of the one before, and tells the first error. */
final class Cleanup {
    private @Nullable RuntimeException first;

    /** Runs a step. */
    Cleanup step(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            failed(e);
        } catch (InternalError e) {
            failed(MemoryFault.of("memory of a device that is being closed", e));
        }
        return this;
    }

    private void failed(RuntimeException e) {
        if (first == null) {
            first = e;
        } else if (first != e) {
            first.addSuppressed(e);
        }
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
