package dev.peerlane.linux;

import org.jspecify.annotations.Nullable;

/**
 * Runs all steps of a cleanup, even if one fails, and reports the first error. The others are
 * suppressed in it.
 */
public class Cleanup {
    private @Nullable RuntimeException first;

    /** Creates a cleanup with no error yet. */
    public Cleanup() {}

    /** Runs a step. Its error is kept for {@link #finish()}. */
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
     * Returns the exception for device memory that did not answer.
     *
     * @param e what the virtual machine threw for the SIGBUS
     * @throws InternalError {@code e} itself, if no step touches such memory
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

    /** Throws the first step's error, if there was one. */
    public final void finish() {
        if (first != null) {
            throw first;
        }
    }

    /** Adds the first step's error to an exception that is being thrown. */
    public final void finish(Throwable cause) {
        if (first != null) {
            cause.addSuppressed(first);
        }
    }
}
