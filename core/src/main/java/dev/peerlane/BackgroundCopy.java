package dev.peerlane;

import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;

/**
 * A copy that runs on a thread of its own. The caller's factory makes that thread; the thread opens
 * the session, copies, and closes the session. (A task of a pool can't do that, because a queue
 * belongs to the thread that made it.) Nothing else in the library starts a thread. The methods may
 * be called by any thread.
 *
 * <pre>{@code
 * BackgroundCopy copy =
 *         BackgroundCopy.start(
 *                 Thread.ofPlatform().name("copy").factory(),
 *                 () -> Session.open("emu:ssd0", "emu:ssd1"),
 *                 Extent.of("emu:ssd0"),
 *                 Extent.of("emu:ssd1"),
 *                 CopyOptions.DEFAULTS,
 *                 Progress.NONE);
 * Receipt receipt = copy.receipt().join();
 * }</pre>
 */
public final class BackgroundCopy {
    private final CancelFlag cancel = new CancelFlag();
    private final CompletableFuture<Receipt> receipt = new CompletableFuture<>();

    private BackgroundCopy() {}

    /**
     * Starts a copy on a new thread.
     *
     * @param threads makes the thread; use platform threads, because a copy spins while it waits
     * @param session opens the session, on the new thread; the copy closes it there
     * @param source blocks to read
     * @param target blocks to write
     * @param how buffer, verification and sizes
     * @param progress called on the new thread as the copy advances
     * @throws IllegalStateException if the factory returns no thread; nothing was opened then
     */
    public static BackgroundCopy start(
            ThreadFactory threads,
            Supplier<Session> session,
            Extent source,
            Extent target,
            CopyOptions how,
            Progress progress) {
        BackgroundCopy copy = new BackgroundCopy();
        Thread thread = threads.newThread(() -> copy.run(session, source, target, how, progress));
        if (thread == null) {
            throw new IllegalStateException("the thread factory made no thread for a copy");
        }
        thread.start();
        return copy;
    }

    /**
     * Asks the copy to stop. The copy waits for the commands in flight, wipes the memory that it
     * used, and ends with an error whose receipt names what was copied. Has no effect on a copy
     * that is over.
     */
    public void cancel() {
        cancel.cancel();
    }

    /**
     * Returns the future of the copy. It completes with the receipt, or with the {@link
     * PeerlaneException} that {@link Session#copy} would throw, after the session is closed.
     * Dependent stages may run on the copy's thread. Completing or cancelling the future does not
     * stop the copy.
     */
    public CompletableFuture<Receipt> receipt() {
        return receipt.copy();
    }

    private void run(
            Supplier<Session> opening,
            Extent source,
            Extent target,
            CopyOptions how,
            Progress progress) {
        Receipt done;
        try (Session session = Objects.requireNonNull(opening.get())) {
            done = session.run(session.plan(source, target, how), cancel, progress);
        } catch (Throwable e) {
            receipt.completeExceptionally(e);
            return;
        }
        receipt.complete(done);
    }
}
