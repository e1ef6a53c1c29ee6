package dev.peerlane.cli;

import dev.peerlane.PeerlaneException;
import dev.peerlane.p2p.CancelFlag;
import java.util.concurrent.CompletableFuture;

/** The user's wish that the program stops. Made by any thread, at most once. */
public final class Interruption {
    private final CancelFlag flag = new CancelFlag();
    private final CompletableFuture<Boolean> made = new CompletableFuture<>();

    /** Asks the program to stop: a running copy ends, an open question is given up. */
    public void request() {
        flag.cancel();
        made.complete(true);
    }

    /** Returns the flag that a running copy looks at. */
    CancelFlag flag() {
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
    void check() {
        if (flag.isCancelled()) {
            throw interrupted();
        }
    }

    static PeerlaneException interrupted() {
        return new PeerlaneException(
                PeerlaneException.Category.INTERRUPTED,
                "interrupted",
                "Interrupted before anything was written",
                "Start it again");
    }
}
