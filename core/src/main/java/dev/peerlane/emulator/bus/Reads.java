package dev.peerlane.emulator.bus;

/**
 * The outstanding reads of a command on a fabric that answers later. A reset, or the end of the
 * command, begins a new life: the answer to a read of an earlier life is never stored.
 */
public final class Reads {
    private int life;
    private int pending;
    private boolean failed;

    /** Returns the number of the present life. */
    int life() {
        return life;
    }

    /** Begins a new life: answers that are outstanding are discarded. */
    public void newLife() {
        life++;
        pending = 0;
        failed = false;
    }

    /** Counts a read that was sent. */
    void asked() {
        pending++;
    }

    /** Counts an answer. */
    void answered(boolean ok) {
        pending--;
        failed |= !ok;
    }

    /** Returns whether no read is outstanding. */
    public boolean isQuiet() {
        return pending == 0;
    }

    /** Returns whether a read failed. */
    public boolean failed() {
        return failed;
    }

    /** Records a read that failed at once. */
    public void fail() {
        failed = true;
    }
}
