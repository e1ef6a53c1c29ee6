package dev.peerlane.copy;

/** Is told how far a copy is, on the thread that runs it; short, and it must not throw. */
@FunctionalInterface
public interface Progress {
    /** What a job is doing. */
    enum Phase {
        /** Blocks are read, carried and written. */
        COPY,
        /** Both sides are compared. */
        VERIFY
    }

    /** Tells nobody. */
    Progress NONE = (phase, done, total) -> {};

    /**
     * Called now and then.
     *
     * @param phase what it is doing
     * @param doneBytes how much of this phase is done
     * @param totalBytes how much it is in all
     */
    void update(Phase phase, long doneBytes, long totalBytes);
}
