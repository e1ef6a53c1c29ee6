package dev.peerlane.emulator.controller;

/** Executes the commands of one set: the admin commands, or the NVM I/O commands. */
abstract class CommandSetHandler {
    /** Result of {@link #start}: the command is over and its status is set. */
    static final int DONE = 0;

    /**
     * Result of {@link #start}: the data has to be moved between buffer and host; {@link #finish}
     * follows.
     */
    static final int MOVE = 1;

    /** Result of {@link #start}: another part ends the command later. */
    static final int HELD = 2;

    /**
     * Result of {@link #start}: a PRP list has to arrive first; {@link #start} is called again
     * then.
     */
    static final int WAIT = 3;

    /** Begins a command. On {@link #MOVE} its transfer and its pages are known. */
    abstract int start(Command command);

    /** Ends a command whose data was moved, and sets its status. */
    abstract void finish(Command command);

    /** Ends a command with {@code status}. */
    static int end(Command command, int status) {
        command.end(status);
        return DONE;
    }

    /** Ends a command with an error and Do Not Retry. */
    static int refuse(Command command, int code) {
        command.end(code | dev.peerlane.spec.Status.DO_NOT_RETRY);
        return DONE;
    }
}
