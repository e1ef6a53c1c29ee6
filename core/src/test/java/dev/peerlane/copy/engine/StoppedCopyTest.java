package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.copy.planning.Planner;
import dev.peerlane.pci.Bdf;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests how far a copy that was stopped on request says it came. */
class StoppedCopyTest {
    private static final long BYTES = 4 << 20;
    private static final long COMMAND_NANOS = 120_000_000; // each round counts as progress

    private final FakeWorld world = new FakeWorld(7);
    private final FakePort source = port(FakeWorld.SOURCE);
    private final FakePort target = port(FakeWorld.TARGET);
    private final FakeMemory cmb = new FakeMemory(target.name(), 512 << 10);
    private final CancelFlag cancel = new CancelFlag();
    private CopyOptions options = CopyOptions.DEFAULTS.withSeed(1);

    StoppedCopyTest() {
        new SplittableRandom(3).nextBytes(source.medium);
    }

    private FakePort port(Bdf bdf) {
        FakePort port = new FakePort(world, bdf, 512, 8 << 20, 64 << 10);
        port.latencyNanos = COMMAND_NANOS;
        return port;
    }

    /** Stops the copy in a phase, after some of it is done. */
    private CopyException stoppedIn(Progress.Phase when) {
        CopyRequest request =
                new CopyRequest(
                        new Endpoint("fake:s", FakeWorld.SOURCE, "S", "M", 1, source),
                        16,
                        new Endpoint("fake:t", FakeWorld.TARGET, "T", "M", 1, target),
                        64,
                        BYTES,
                        List.of(new BufferCandidate("fake:t", FakeWorld.TARGET, cmb)),
                        List.of(),
                        options);
        CopyJob job =
                new CopyJob(Planner.plan(request, world.machine()), Surroundings.of(world), cancel);
        CopyException e =
                catchThrowableOfType(
                        CopyException.class,
                        () ->
                                job.run((phase, done, total) -> {
                                    if (phase == when && done > BYTES / 4) {
                                        cancel.cancel();
                                    }
                                }));
        assertThat(e).as("it was stopped").isNotNull();
        assertThat(e.code()).isEqualTo("interrupted");
        assertThat(e.category()).isEqualTo(Category.INTERRUPTED);
        assertThat(cmb.open).isZero();
        return e;
    }

    @Test
    void duringTheCopyItSaysWhatTheReceiptSaysOfAllThatWasAskedFor() {
        CopyException e = stoppedIn(Progress.Phase.COPY);
        Receipt receipt = e.receipt();
        assertThat(receipt.bytesCopied()).isBetween(BYTES / 4, BYTES - 1);
        assertThat(e)
                .hasMessage(
                        "stopped on request after %d of %d bytes"
                                .formatted(receipt.bytesCopied(), BYTES));
        assertThat(receipt.verify().result()).isEqualTo("not run");
    }

    @ParameterizedTest
    @EnumSource(names = {"PEER", "HOST"})
    void duringTheVerificationItSaysThatAllIsCopiedAndHowMuchIsVerified(VerifyMode how) {
        options = options.withVerify(how);
        CopyException e = stoppedIn(Progress.Phase.VERIFY);
        Matcher said =
                Pattern.compile(
                                "all %d bytes are copied; the verification was stopped on request"
                                                .formatted(BYTES)
                                        + " after (\\d+)")
                        .matcher(String.valueOf(e.getMessage()));
        assertThat(said.matches()).as(e.getMessage()).isTrue();
        assertThat(Long.parseLong(said.group(1))).isBetween(BYTES / 4, BYTES - 1);
        Receipt receipt = e.receipt();
        assertThat(receipt.bytesCopied()).isEqualTo(BYTES);
        assertThat(receipt.copied()).containsExactly(new Receipt.Range(64, BYTES / 512));
        assertThat(receipt.verify().result()).isEqualTo("stopped");
        assertThat(receipt.notes()).noneMatch(note -> note.contains("not flushed"));
    }
}
