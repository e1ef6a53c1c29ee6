package dev.peerlane.cli.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.BlockPort;
import dev.peerlane.cli.harness.ServedProcess;
import dev.peerlane.cli.harness.Shell;
import dev.peerlane.cli.shared.Choices;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Kills the server of the source or the target during a copy. */
@Tag("long")
class KilledServerTest {
    private static final long BYTES = 64 << 20;

    /**
     * Far beyond {@link Timeout}, so the program must detect the end of the server instead of
     * timing out.
     */
    private static final long COMMAND_NANOS = 3_600_000_000_000L;

    @TempDir private Path folder;

    private static String drive(String name) {
        return "{name: %s, size: 64MiB, blockBytes: 512, cmb: {size: 512KiB}}".formatted(name);
    }

    @ParameterizedTest
    @CsvSource({"true, target", "false, target"})
    @Timeout(60)
    void copyEndsAsATypedFaultThatTellsOfBothEnds(boolean killSource, String buffer)
            throws IOException {
        try (ServedProcess source = ServedProcess.start(folder, "first", drive("a"));
                ServedProcess target = ServedProcess.start(folder, "second", drive("b"))) {
            ServedProcess victim = killSource ? source : target;
            CopyException e = copy(source, target, buffer, victim);
            assertThat(e.code()).as(e.getMessage()).isEqualTo("controller-gone");
            assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
            assertThat(e).hasMessageContaining((killSource ? "a" : "b") + ".sock");
            Receipt.Failure error = e.receipt().error();
            assertThat(error).isNotNull();
            String dead = killSource ? error.sourceCondition() : error.targetCondition();
            String alive = killSource ? error.targetCondition() : error.sourceCondition();
            assertThat(List.of(dead, alive))
                    .isEqualTo(
                            List.of(
                                    "is gone: its configuration space reads as all ones",
                                    BlockPort.READY));
            assertThat(e.receipt().bytesCopied()).isLessThan(BYTES);
            // the remaining server serves the next client
            String left = (killSource ? target : source).locator(0);
            Shell identify = Shell.run("identify", left);
            assertThat(identify.status()).as(identify.err()).isZero();
        }
    }

    private CopyException copy(
            ServedProcess source, ServedProcess target, String buffer, ServedProcess victim) {
        List<Path> sockets = List.of(folder.resolve("a.sock"), folder.resolve("b.sock"));
        AtomicBoolean killed = new AtomicBoolean();
        Progress progress =
                (phase, done, total) -> {
                    if (phase == Progress.Phase.COPY
                            && done > 0
                            && killed.compareAndSet(false, true)) {
                        victim.kill();
                    }
                };
        try (Session session = Session.of(VfioUserFabric.open(sockets))) {
            CopyPlan plan =
                    session.plan(
                            Extent.parse(source.locator(0)),
                            Extent.parse(target.locator(0)),
                            CopyOptions.DEFAULTS
                                    .withBuffer(Choices.buffer(buffer))
                                    .withCommandTimeoutNanos(COMMAND_NANOS));
            return catchThrowableOfType(
                    CopyException.class, () -> session.run(plan, new CancelFlag(), progress));
        }
    }
}
