package dev.peerlane.hal.parts;

import org.jspecify.annotations.Nullable;

/**
 * The only thread that may use an object and everything that comes from it: the thread that created
 * it. Calls by other threads are refused before they do anything, because the effects of half a
 * call could not be undone while the owner works.
 */
public final class OwnerThread {
    private @Nullable Thread thread = Thread.currentThread();

    /** Creates a check with the calling thread as the owner. */
    public OwnerThread() {}

    /**
     * Checks that the calling thread is the owner. Costs one comparison.
     *
     * @param what the object, worded as the subject of a sentence
     * @throws IllegalStateException if the calling thread is not the owner; the message names both
     *     threads
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
     * Gives up ownership: the next thread that uses the object becomes its owner. Only the owner
     * may call this, and it must stop using the object before the other thread starts.
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

    /** Returns the exception for a call by a thread that is not the owner. */
    public IllegalStateException refusal(Object what) {
        Thread owner = thread;
        return new IllegalStateException(
                "%s belongs to thread %s, not to %s"
                        .formatted(
                                what,
                                owner == null ? "none" : name(owner),
                                name(Thread.currentThread())));
    }

    /** Returns the name of a thread, or its number if it has no name, as for virtual threads. */
    public static String name(Thread thread) {
        return thread.getName().isEmpty() ? "#" + thread.threadId() : thread.getName();
    }
}
