package dev.peerlane.cli.terminal;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.CancelFlag;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The user's wish that the program stops. Made by any thread, at most once. */
public final class Interruption {
    /** What an end at once leaves where no copy runs. */
    public static final String NOTHING_LEFT = "devices that were open were not shut down";

    private static final String WAITING = "what is under way is waited for";

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

    /** Asks the program to stop: a running copy ends, an open question is given up. */
    public void request() {
        flag.cancel();
        made.complete(true);
    }

    /** Sets what is left if the process ends now, a clause; {@link #NOTHING_LEFT} for nothing. */
    public void leaves(String what) {
        left = what;
    }

    /** Returns what is left if the process ends now. */
    String left() {
        return left;
    }

    /** Sets what the command does when it is asked to stop, in clauses. */
    public void stopsBy(String what) {
        stopping = what;
    }

    /** Returns what the command does when it is asked to stop. */
    String stopping() {
        return stopping;
    }

    /** Returns the flag that a running copy looks at. */
    public CancelFlag flag() {
        return flag;
    }

    /** Runs something when the wish is made, on the thread that makes it. */
    void onRequest(Runnable action) {
        var _ = made.thenRun(action);
    }

    /**
     * Ends a command between two steps.
     *
     * @throws PeerlaneException of category INTERRUPTED if the wish was made
     */
    public void check() {
        if (flag.isCancelled()) {
            throw interrupted();
        }
    }

    static PeerlaneException interrupted() {
        return PeerlaneException.interrupted("Interrupted before anything was written");
    }
}
