package dev.peerlane.examples;

import dev.peerlane.BackgroundCopy;
import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Copies on its own thread, shows progress, stops at a given percentage, and handles errors: {@code
 * CopyWithProgress [PERCENT]}.
 */
public final class CopyWithProgress {
    private CopyWithProgress() {}

    /** Runs the example on the built-in emulated fabric. */
    public static void main(String[] args) {
        int stopAt = args.length > 0 ? Integer.parseInt(args[0]) : 101;
        CompletableFuture<BackgroundCopy> started = new CompletableFuture<>();
        BackgroundCopy copy =
                BackgroundCopy.start(
                        Thread.ofPlatform().name("copy").factory(),
                        () -> Session.open("emu:ssd0", "emu:ssd1"),
                        Extent.parse("emu:ssd0@0+262144"),
                        Extent.of("emu:ssd1"),
                        CopyOptions.DEFAULTS,
                        (phase, done, total) -> {
                            if (100 * done / total >= stopAt) {
                                started.join().cancel();
                            }
                        });
        started.complete(copy);
        try {
            Receipt receipt = copy.receipt().join();
            System.out.printf("%d bytes, %s%n", receipt.bytesCopied(), receipt.result());
        } catch (CompletionException e) {
            tell(e.getCause());
        }
    }

    private static void tell(@Nullable Throwable error) {
        switch (error) {
            case CopyException failed ->
                    System.out.printf(
                            "%s after %d bytes: %s%n",
                            failed.code(), failed.receipt().bytesCopied(), failed.getMessage());
            case PeerlaneException refused ->
                    System.out.printf(
                            "%s: %s. %s%n", refused.code(), refused.getMessage(), refused.remedy());
            case null, default -> throw new IllegalStateException(error);
        }
    }
}
