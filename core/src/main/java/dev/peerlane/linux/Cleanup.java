package dev.peerlane.linux;

import org.jspecify.annotations.Nullable;

/** Runs every step of an undoing, whatever becomes of the one before, and tells the first error. */
public class Cleanup {
    private @Nullable RuntimeException first;

    /** Creates one in which nothing has failed yet. */
    public Cleanup() {}

    /** Runs a step. */
    public final Cleanup step(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            failed(e);
        } catch (InternalError e) {
            failed(typed(e));
        }
        return this;
    }

    /**
     * Returns what to tell of memory that did not answer.
     *
     * @throws InternalError that very one, if no step touches such memory
     */
    protected RuntimeException typed(InternalError e) {
        throw e;
    }

    private void failed(RuntimeException e) {
        if (first == null) {
            first = e;
        } else if (first != e) {
            first.addSuppressed(e);
        }
    }

    /** Throws what the first step that failed threw. */
    public final void finish() {
        if (first != null) {
            throw first;
        }
    }

    /** Adds what failed to an error that is on its way. */
    public final void finish(Throwable cause) {
        if (first != null) {
            cause.addSuppressed(first);
        }
    }
}
