package dev.peerlane.hal.parts;

import org.jspecify.annotations.Nullable;

/**
 * The one thread that may use an object and everything that comes from it: the one that created it.
 * A call by another thread is refused before it has done anything, since what it did half can't be
 * taken back under the hands of the owner.
 */
public final class OwnerThread {
    private @Nullable Thread thread = Thread.currentThread();

    /** Creates one for the calling thread. */
    public OwnerThread() {}

    /**
     * Returns if the calling thread is the owner; a comparison.
     *
     * @param what the object, as the subject of a sentence
     * @throws IllegalStateException naming both threads, if it is another one
     */
    public void check(Object what) {
        if (Thread.currentThread() != thread) {
            claim(what);
        }
    }

    /** Returns whether the calling thread is the owner. */
    public boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /**
     * Gives the object up: the next thread that uses it owns it. By the owner alone, which must be
     * done with it before the other one begins.
     */
    public synchronized void handOver(Object what) {
        check(what);
        thread = null;
    }

    private synchronized void claim(Object what) {
        if (thread != null) {
            throw refusal(what);
        }
        thread = Thread.currentThread();
    }

    /** Returns the refusal of a call that the calling thread made to another's object. */
    public IllegalStateException refusal(Object what) {
        Thread owner = thread;
        return new IllegalStateException(
                "%s belongs to thread %s, not to %s"
                        .formatted(
                                what,
                                owner == null ? "none" : name(owner),
                                name(Thread.currentThread())));
    }

    /** Returns a thread's name, or its number where it has none, as virtual threads. */
    public static String name(Thread thread) {
        return thread.getName().isEmpty() ? "#" + thread.threadId() : thread.getName();
    }
}
