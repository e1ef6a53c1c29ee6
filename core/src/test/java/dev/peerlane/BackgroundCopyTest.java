package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BackgroundCopyTest {
    private final List<Thread> made = new ArrayList<>();
    private final ThreadFactory threads =
            task -> {
                Thread thread = new Thread(task, "copy");
                made.add(thread);
                return thread;
            };

    private BackgroundCopy start(String source, Progress progress) {
        return BackgroundCopy.start(
                threads,
                () -> Session.open("emu:ssd0", "emu:ssd1"),
                Extent.parse(source),
                Extent.parse("emu:ssd1"),
                CopyOptions.DEFAULTS,
                progress);
    }

    @Test
    void sessionAndProgressRunOnTheThreadOfTheFactory() {
        Set<Thread> told = ConcurrentHashMap.newKeySet();
        BackgroundCopy copy =
                start("emu:ssd0@0+2048", (phase, done, total) -> told.add(Thread.currentThread()));
        Receipt receipt = copy.receipt().join();
        assertThat(receipt.result()).isEqualTo("ok");
        assertThat(receipt.bytesCopied()).isPositive();
        assertThat(made).hasSize(1);
        assertThat(told).containsExactly(made.getFirst());
    }

    @Test
    void cancellingItEndsItWithAReceiptOfWhatWasCopied() {
        AtomicReference<BackgroundCopy> running = new AtomicReference<>();
        BackgroundCopy copy =
                start(
                        "emu:ssd0",
                        (phase, done, total) -> {
                            while (running.get() == null) {
                                Thread.onSpinWait();
                            }
                            running.get().cancel();
                        });
        running.set(copy);
        assertThatThrownBy(() -> copy.receipt().join())
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        CopyException.class,
                        e -> assertThat(e.receipt().result()).isNotEqualTo("ok"));
    }

    @Test
    void aDeviceThatCannotBeOpenedIsTheErrorOfTheCopy() {
        BackgroundCopy copy =
                BackgroundCopy.start(
                        threads,
                        () -> Session.open("vfio-user:/nowhere/x.sock"),
                        Extent.of("emu:ssd0"),
                        Extent.of("emu:ssd1"),
                        CopyOptions.DEFAULTS,
                        Progress.NONE);
        assertThatThrownBy(() -> copy.receipt().join())
                .cause()
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("/nowhere/x.sock");
    }

    @Test
    void cancellingTheFutureLeavesTheCopyAlone() {
        BackgroundCopy copy = start("emu:ssd0@0+2048", Progress.NONE);
        copy.receipt().cancel(true);
        assertThat(copy.receipt().join().result()).isEqualTo("ok");
    }

    @Test
    void aFactoryThatMakesNoThreadIsRefusedBeforeAnythingIsOpened() {
        assertThatThrownBy(() ->
                        BackgroundCopy.start(
                                task -> null,
                                () -> {
                                    throw new AssertionError("opened");
                                },
                                Extent.of("emu:ssd0"),
                                Extent.of("emu:ssd1"),
                                CopyOptions.DEFAULTS,
                                Progress.NONE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("thread factory");
    }
}
