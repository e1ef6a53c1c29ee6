package dev.peerlane.copy;

/**
 * A callback for the progress of a copy. Called on the thread that runs the copy; it must be short
 * and must not throw.
 */
@FunctionalInterface
public interface Progress {
    /** The phases of a copy. */
    enum Phase {
        /** Blocks are read and written. */
        COPY,
        /** Source and target are compared. */
        VERIFY
    }

    /** Ignores progress. */
    Progress NONE = (phase, done, total) -> {};

    /**
     * Reports progress. Called from time to time.
     *
     * @param phase the current phase
     * @param doneBytes bytes of this phase that are done
     * @param totalBytes bytes of this phase in all
     */
    void update(Phase phase, long doneBytes, long totalBytes);
}
