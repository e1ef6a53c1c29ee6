package dev.peerlane.emulator.controller;

/** Executes the commands of one set: the admin commands, or the NVM I/O commands. */
abstract class CommandSetHandler {
    /** Answer of {@link #start}: the command is over, with its status set. */
    static final int DONE = 0;

    /**
     * Answer of {@link #start}: its data has to be moved, from its buffer to the host or the other
     * way; {@link #finish} follows.
     */
    static final int MOVE = 1;

    /** Answer of {@link #start}: somebody else ends it later. */
    static final int HELD = 2;

    /** Answer of {@link #start}: a PRP list has to arrive first; then it is asked again. */
    static final int WAIT = 3;

    /**
     * Begins a command. Its transfer is known and its pages are found when it answers {@link
     * #MOVE}.
     */
    abstract int start(Command command);

    /** Ends a command whose data was moved: sets its status. */
    abstract void finish(Command command);

    /** Ends a command in {@code status}. */
    static int end(Command command, int status) {
        command.end(status);
        return DONE;
    }

    /** Ends a command in an error that the same command would meet again. */
    static int refuse(Command command, int code) {
        command.end(code | dev.peerlane.spec.Status.DO_NOT_RETRY);
        return DONE;
    }
}
