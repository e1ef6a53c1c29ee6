package dev.peerlane.emulator.bus;

/**
 * The reads that a command waits for, where the fabric answers later. A reset or the end of the
 * command starts a new life, and what was asked for in an earlier one is never stored.
 */
public final class Reads {
    private int life;
    private int pending;
    private boolean failed;

    /** Returns which life it is in; what was asked in another one is over. */
    int life() {
        return life;
    }

    /** Whatever is under way is nobody's any more. */
    public void newLife() {
        life++;
        pending = 0;
        failed = false;
    }

    /** One more is under way. */
    void asked() {
        pending++;
    }

    /** One was answered, or not. */
    void answered(boolean ok) {
        pending--;
        failed |= !ok;
    }

    /** Returns whether nothing is under way. */
    public boolean isQuiet() {
        return pending == 0;
    }

    /** Returns whether one of them failed. */
    public boolean failed() {
        return failed;
    }

    /** One failed at once. */
    public void fail() {
        failed = true;
    }
}
