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
 * A copy on a thread of its own. Queues belong to the thread that made them, so a task of a pool
 * can't own one: the thread, which the caller's factory makes, opens the session, copies, and
 * closes the session again. This is the only place where the library starts a thread. Used by any
 * thread.
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
     * Starts a copy.
     *
     * @param threads makes the thread; a platform thread, since a copy spins while it waits
     * @param session opens the devices, on that thread; what it returns is closed there
     * @param source where from
     * @param target where to
     * @param how buffer, verification and sizes
     * @param progress is told how far the copy is, on that thread
     * @throws IllegalStateException if the factory makes no thread; then nothing was opened
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
     * Asks the copy to stop. It takes in what is under way, wipes the memory that it used, and ends
     * with an error that has a receipt of what was copied. A copy that is over stays as it is.
     */
    public void cancel() {
        cancel.cancel();
    }

    /**
     * Returns what becomes of the copy: its receipt, or its error, a {@link PeerlaneException} as
     * {@link Session#copy} throws it. It is complete when the session is closed; what depends on it
     * may run on the copy's thread. Completing or cancelling what is returned stops no copy.
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
