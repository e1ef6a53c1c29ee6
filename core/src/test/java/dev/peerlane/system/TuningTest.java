package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A long copy finds its own chunk and slots, and says so. Time is virtual. */
@Tag("long")
class TuningTest {
    private static final int KIB = 1 << 10;
    private static final long MIB = 1 << 20;
    private static final CopyOptions OPTIONS =
            CopyOptions.DEFAULTS
                    .withOverwrite(true)
                    .withBuffer(BufferChoice.TARGET)
                    .withVerify(VerifyMode.NONE)
                    .withSeed(3);

    /** A pair of drives. */
    private record Drives(long rate, long latencyNanos, int cmbBytes, int mdts) {
        Session session(NamespaceModel source, NamespaceModel target) {
            return Session.of(
                    new EmulatedFabric(
                            FabricModel.builder()
                                    .seed(5)
                                    .time(FabricModel.Time.VIRTUAL)
                                    .drive(drive("a", source))
                                    .drive(drive("b", target))
                                    .build()));
        }

        private DriveModel drive(String name, NamespaceModel namespace) {
            return DriveModel.named(name)
                    .namespace(namespace)
                    .bytesPerSecond(rate)
                    .latencyNanos(latencyNanos)
                    .mdts(mdts)
                    .cmb(CmbModel.of(cmbBytes))
                    .build();
        }

        /** Copies what would take so long at the drives' rate; nothing is kept. */
        Receipt copy(double seconds, CopyOptions options) {
            long bytes = (long) (seconds * rate) / MIB * MIB;
            NamespaceModel source = NamespaceModel.memory(bytes, 512);
            try (Session session = session(source, NamespaceModel.discarding(bytes, 512))) {
                return session.copy(Extent.of("emu:a"), Extent.of("emu:b"), options);
            }
        }
    }

    private static final Drives USUAL = new Drives(400_000_000, 80_000, 16 << 20, 5);

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        // name, MB/s, ns, CMB KiB, MDTS, seconds; then: least of the rate, chunk KiB, slots
        "usual,        400,   80000, 16384, 5,  4, 0.97, 128,  4",
        "fast,        1500,   20000, 16384, 5,  4, 0.97, 128,  4",
        "slow,          20,   80000, 16384, 5, 10, 0.97, 128, 32",
        "high latency, 400, 2000000, 16384, 5,  4, 0.97, 128, 32",
        "tiny CMB,     100,   80000,    64, 5,  4, 0.97,   4, 15",
        "small MDTS,   100,   80000, 16384, 1,  4, 0.97,   8, 32",
    })
    void aLongCopyFindsItsChunkAndSlotsWithinASecond(
            String name,
            long rate,
            long latency,
            int cmb,
            int mdts,
            int seconds,
            double least,
            int chunk,
            int slots) {
        Drives drives = new Drives(rate * 1_000_000, latency, cmb * KIB, mdts);
        Receipt receipt = drives.copy(seconds, OPTIONS);
        Receipt.Tuning tuning = receipt.tuning();
        assertThat(tuning.seconds()).as(name).isPositive().isLessThanOrEqualTo(1);
        assertThat(tuning.tries()).hasSizeGreaterThan(1);
        double best =
                tuning.tries().stream().mapToDouble(Receipt.Tried::bytesPerSecond).max().orElse(0);
        assertThat(tuning.tries())
                .as("what it took was tried, and is as fast as anything")
                .anyMatch(t ->
                        t.chunkBytes() == receipt.chunkBytes()
                                && t.slots() == receipt.slots()
                                && t.readDepth() == tuning.readDepth()
                                && t.bytesPerSecond() >= 0.98 * best);
        assertThat(receipt.bytesPerSecond())
                .isGreaterThanOrEqualTo(least * Math.min((double) drives.rate(), best));
        assertThat(receipt.chunkBytes()).isEqualTo(chunk * KIB);
        assertThat(receipt.slots()).isEqualTo(slots);
    }

    @Test
    void theSameDrivesLeadToTheSameChoice() {
        assertThat(USUAL.copy(3, OPTIONS).tuning()).isEqualTo(USUAL.copy(3, OPTIONS).tuning());
    }

    @Test
    void aShortCopyKeepsThePlan() {
        Receipt receipt = USUAL.copy(1, OPTIONS);
        assertThat(receipt.tuning().tries()).isEmpty();
        assertThat(receipt.slots()).isEqualTo(64);
    }

    @Test
    void whatTheUserGaveIsHonoured() {
        Receipt both = USUAL.copy(3, OPTIONS.withSlots(32 * KIB, 20));
        assertThat(both.tuning().tries()).isEmpty();
        assertThat(both.chunkBytes()).isEqualTo(32 * KIB);
        assertThat(both.slots()).isEqualTo(20);
        Receipt chunk = USUAL.copy(3, OPTIONS.withSlots(32 * KIB, 0));
        assertThat(chunk.chunkBytes()).isEqualTo(32 * KIB);
        assertThat(chunk.tuning().tries()).allMatch(t -> t.chunkBytes() == 32 * KIB);
        Receipt slots = USUAL.copy(3, OPTIONS.withSlots(0, 20));
        assertThat(slots.slots()).isEqualTo(20);
        assertThat(slots.tuning().tries()).allMatch(t -> t.slots() == 20);
    }

    @Test
    void everyTryCopiesItsPartOfTheData(@TempDir Path folder) throws IOException {
        Drives drives = new Drives(6_000_000, 80_000, 1 << 20, 3);
        byte[] data = new byte[18 << 20];
        new SplittableRandom(11).nextBytes(data);
        Path from = Files.write(folder.resolve("a.img"), data);
        Path to = Files.write(folder.resolve("b.img"), new byte[data.length]);
        CopyOptions options = OPTIONS.withVerify(VerifyMode.PEER);
        try (Session session =
                drives.session(NamespaceModel.image(from, 512), NamespaceModel.image(to, 4096))) {
            Receipt receipt = session.copy(Extent.of("emu:a"), Extent.of("emu:b"), options);
            assertThat(receipt.tuning().tries()).hasSizeGreaterThan(1);
            assertThat(receipt.bytesCopied()).isEqualTo(data.length);
            assertThat(receipt.copied()).containsExactly(new Receipt.Range(0, data.length / 4096));
        }
        assertThat(Files.mismatch(from, to)).isEqualTo(-1);
    }

    @Test
    void progressNeverGoesBackWhileCutsAreTried() {
        Drives drives = new Drives(6_000_000, 80_000, 1 << 20, 3);
        long bytes = 18 * MIB;
        List<Long> told = new ArrayList<>();
        NamespaceModel source = NamespaceModel.memory(bytes, 512);
        try (Session session = drives.session(source, NamespaceModel.discarding(bytes, 512))) {
            var plan = session.plan(Extent.of("emu:a"), Extent.of("emu:b"), OPTIONS);
            Receipt receipt =
                    session.run(plan, new CancelFlag(), (phase, done, total) -> told.add(done));
            assertThat(receipt.tuning().tries()).hasSizeGreaterThan(1);
        }
        assertThat(told).isSorted().startsWith(0L).endsWith(bytes);
    }

    @Test
    void aCopyThatStopsAfterTheTriesNamesAllThatWasCopied() {
        CancelFlag cancel = new CancelFlag();
        long bytes = 1200 * MIB;
        NamespaceModel source = NamespaceModel.memory(bytes, 512);
        try (Session session = USUAL.session(source, NamespaceModel.discarding(bytes, 512))) {
            var plan = session.plan(Extent.of("emu:a"), Extent.of("emu:b"), OPTIONS);
            CopyException e =
                    catchThrowableOfType(
                            CopyException.class,
                            () ->
                                    session.run(
                                            plan,
                                            cancel,
                                            (phase, done, total) -> {
                                                assertThat(total).isEqualTo(bytes);
                                                if (done > 600 * MIB) {
                                                    cancel.cancel();
                                                }
                                            }));
            Receipt receipt = e.receipt();
            assertThat(receipt.tuning().tries()).hasSizeGreaterThan(1);
            assertThat(receipt.bytesCopied()).isGreaterThan(600 * MIB);
            assertThat(receipt.copied().getFirst().slba()).isZero();
            assertThat(receipt.copied().stream().mapToLong(Receipt.Range::blocks).sum() * 512)
                    .isEqualTo(receipt.bytesCopied());
        }
    }
}
