package dev.peerlane.cli.terminal;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.CancelFlag;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The user's request to stop the program. Any thread may make it, at most once. */
public final class Interruption {
    /** What an immediate end leaves behind if no copy is running. */
    public static final String NOTHING_LEFT = "open devices were not shut down";

    private static final String WAITING = "waiting for commands in flight";

    private final CancelFlag flag = new CancelFlag();
    private final CompletableFuture<Boolean> made = new CompletableFuture<>();
    private volatile @Nullable Thread hears;
    private volatile String left = NOTHING_LEFT;
    private volatile String stopping = WAITING;

    /**
     * Starts taking signals, on a thread beside the reading of the arguments. Nothing is open yet,
     * so a signal that comes before may end the program at once.
     */
    public void begin(Runnable hearing) {
        Thread thread = new Thread(hearing, "signals");
        hears = thread;
        thread.start();
    }

    /** Waits until signals are taken. A command opens nothing before that. */
    public void awaitHearing() {
        Thread thread = hears;
        boolean interrupted = false;
        while (thread != null && thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Asks the program to stop. A running copy ends, and an open question is abandoned. */
    public void request() {
        flag.cancel();
        made.complete(true);
    }

    /**
     * Sets a clause about what remains if the process ends now; {@link #NOTHING_LEFT} for nothing.
     */
    public void leaves(String what) {
        left = what;
    }

    /** Returns the clause about what remains if the process ends now. */
    String left() {
        return left;
    }

    /** Sets clauses about what the command does when asked to stop. */
    public void stopsBy(String what) {
        stopping = what;
    }

    /** Returns the clauses about what the command does when asked to stop. */
    String stopping() {
        return stopping;
    }

    /** Returns the flag that a running copy polls. */
    public CancelFlag flag() {
        return flag;
    }

    /** Registers an action to run when the request is made, on the requesting thread. */
    void onRequest(Runnable action) {
        var _ = made.thenRun(action);
    }

    /**
     * Ends the command here if a stop was requested.
     *
     * @throws PeerlaneException of category INTERRUPTED if a stop was requested
     */
    public void check() {
        if (flag.isCancelled()) {
            throw interrupted();
        }
    }

    static PeerlaneException interrupted() {
        return PeerlaneException.interrupted("Interrupted; nothing was written");
    }
}
