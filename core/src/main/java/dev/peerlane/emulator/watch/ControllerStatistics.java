package dev.peerlane.emulator.watch;

/**
 * Tells what one controller did since it was made, for tests and for people who tune: the
 * controller's own view, so nobody else has to be believed. Used by the thread that owns the
 * fabric.
 */
public interface ControllerStatistics {
    /** Returns how many admin commands of an opcode were fetched. */
    long adminCommands(int opcode);

    /** Returns how many I/O commands of an opcode were fetched. */
    long ioCommands(int opcode);

    /** Returns how many I/O commands were fetched. */
    long ioCommands();

    /** Returns how many commands of both kinds ended in an error. */
    long failedCommands();

    /** Returns how many doorbell writes arrived, right or wrong. */
    long doorbells();

    /** Returns how many I/O commands are fetched and not completed now. */
    int inFlight();

    /** Returns the most I/O commands that were ever fetched and not completed. */
    int maxInFlight();

    /**
     * Returns in how many turns exactly {@code depth} I/O commands were fetched and not completed.
     * Turns are of different length in virtual time: {@link #nanosAtDepth} measures time.
     */
    long turnsAtDepth(int depth);

    /**
     * Returns for how long exactly {@code depth} I/O commands were fetched and not completed, by
     * the fabric's clock: the histogram of the pipeline over time.
     */
    long nanosAtDepth(int depth);

    /** Returns the mean number of I/O commands in flight over the time in which there were any. */
    double meanInFlight();
}
