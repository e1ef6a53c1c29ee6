package dev.peerlane.emulator.watch;

/**
 * Counts of what one controller did since it was made, for tests and for tuning. They are the
 * controller's own, so they do not depend on the driver. Only the thread that owns the fabric may
 * use them.
 */
public interface ControllerStatistics {
    /** Returns the number of admin commands of an opcode that were fetched. */
    long adminCommands(int opcode);

    /** Returns the number of I/O commands of an opcode that were fetched. */
    long ioCommands(int opcode);

    /** Returns the number of I/O commands that were fetched. */
    long ioCommands();

    /** Returns the number of admin and I/O commands that ended in an error. */
    long failedCommands();

    /** Returns the number of doorbell writes that arrived, valid or not. */
    long doorbells();

    /** Returns the number of I/O commands in flight: fetched and not completed. */
    int inFlight();

    /** Returns the highest number of I/O commands in flight so far. */
    int maxInFlight();

    /**
     * Returns the number of turns with exactly {@code depth} I/O commands in flight. In virtual
     * time turns differ in length; use {@link #nanosAtDepth} to measure time.
     */
    long turnsAtDepth(int depth);

    /**
     * Returns how long exactly {@code depth} I/O commands were in flight, in nanoseconds of the
     * fabric's clock.
     */
    long nanosAtDepth(int depth);

    /** Returns the mean number of I/O commands in flight over the time in which there were any. */
    double meanInFlight();
}
