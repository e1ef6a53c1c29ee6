package dev.peerlane.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PacketModel.Forwarding;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.pci.RootComplex.Trust;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LitmusJobTest {
    private static final int MEDIUM = 256 << 10;
    private static final int SLOTS = 15;
    private static final long ALWAYS = Long.MAX_VALUE;
    private static final Extent A = new Extent("emu:a", 1, 16L, 256L);
    private static final Extent B = new Extent("emu:b", 1, 32L, 256L);

    private final CancelFlag cancel = new CancelFlag();
    private BufferChoice buffer = BufferChoice.TARGET;

    private static DriveModel.Builder drive(String name) {
        return DriveModel.named(name).cmb(CmbModel.of(64 << 10)).latencyNanos(3_000);
    }

    private static FabricModel.Builder fabric() {
        return FabricModel.builder()
                .time(FabricModel.Time.VIRTUAL)
                .drive(drive("a").memory(MEDIUM, 512).build());
    }

    private static FabricModel.Builder with(FabricModel.Builder fabric) {
        return fabric.drive(drive("b").memory(MEDIUM, 512).build());
    }

    /** Returns a fabric on which data crosses a slow root complex, and completions do not. */
    private static FabricModel.Builder slowRoot() {
        return with(fabric())
                .packets(PacketModel.DEFAULTS.withForwarding(Forwarding.SLOW, 15_000))
                .rootComplex(Trust.TRUSTED, Trust.TRUSTED)
                .port(PortModel.drive("a"))
                .port(PortModel.drive("b"));
    }

    private interface Work<T> {
        T with(LitmusJob job);
    }

    private <T> T run(FabricModel.Builder fabric, Extent from, Extent to, Work<T> work) {
        try (Session session = Session.of(new EmulatedFabric(fabric.build()))) {
            CopyOptions options =
                    CopyOptions.DEFAULTS
                            .withOverwrite(true)
                            .withBuffer(buffer)
                            .withFence(FenceChoice.NONE)
                            .withVerify(VerifyMode.NONE)
                            .withSlots(4096, 0);
            CopyPlan plan = session.plan(from, to, options);
            T result;
            try (LitmusJob job =
                    new LitmusJob(plan, Surroundings.of(session.fabric()), cancel, 5)) {
                result = work.with(job);
            }
            for (String device : session.fabric().locators()) {
                Controller controller = session.controller(device);
                ControllerMemoryBuffer cmb = controller.requireCmb();
                assertThat(cmb.largestFreeBytes())
                        .as("all of the CMB is released")
                        .isEqualTo(64 << 10);
            }
            return result;
        }
    }

    private LitmusCount count(FabricModel.Builder fabric, FenceChoice fence, long handOffs) {
        return run(fabric, A, B, job -> job.count(fence, handOffs, ALWAYS, Progress.NONE));
    }

    private PeerlaneException refused(FabricModel.Builder fabric, Extent from, Extent to) {
        return catchThrowableOfType(
                PeerlaneException.class, () -> run(fabric, from, to, LitmusJob::slots));
    }

    @ParameterizedTest
    @EnumSource(names = {"NONE", "READBACK"})
    void withoutASoundFenceStaleHandOffsAreFound(FenceChoice fence) {
        LitmusCount count = count(slowRoot(), fence, 500);
        assertThat(count.stopped()).isNull();
        assertThat(count.stale()).isPositive().isLessThanOrEqualTo(count.handOffs());
        double share = (double) count.stale() / count.handOffs();
        assertThat(count.upperBound()).isBetween(share, 1.0);
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY"})
    void withASoundFenceNoneAreFoundAndTheBoundIsThatOfTheTries(FenceChoice fence) {
        LitmusCount count = count(slowRoot(), fence, 2_000);
        assertThat(count.stopped()).isNull();
        assertThat(count.handOffs()).isGreaterThanOrEqualTo(2_000);
        assertThat(count.stale()).isZero();
        assertThat(count.upperBound()).isEqualTo(ClopperPearson.upperBound(0, count.handOffs()));
    }

    @Test
    void aSentinelIsNotSoundOverTwoRoutes() {
        PacketModel.Link slow = new PacketModel.Link(20_000, 1 << 30, 32);
        PacketModel packets =
                PacketModel.DEFAULTS.withSecondWays(
                        java.util.List.of(
                                new PacketModel.SecondWay("a", "b", PacketModel.Takes.ANY, slow)));
        LitmusCount count = count(with(fabric()).packets(packets), FenceChoice.SENTINEL, 500);
        assertThat(count.stale()).isPositive();
    }

    @Test
    void theFirstUseOfASlotIsNotCountedBecauseItsContentIsUnknown() {
        LitmusCount count = count(with(fabric()), FenceChoice.NONE, 300);
        assertThat(count.uncounted()).isEqualTo(SLOTS);
        assertThat(count.stale()).isZero();
    }

    @Test
    void everyFenceBeginsWithSlotsOfUnknownContent() {
        run(
                with(fabric()),
                A,
                B,
                job -> {
                    for (FenceChoice fence :
                            new FenceChoice[] {FenceChoice.NONE, FenceChoice.SENTINEL}) {
                        LitmusCount count = job.count(fence, 300, ALWAYS, Progress.NONE);
                        assertThat(count.stopped()).isNull();
                        assertThat(count.uncounted()).as(count.fence()).isEqualTo(SLOTS);
                    }
                    return true;
                });
    }

    @Test
    void aCountOfNothingIsNotZero() {
        LitmusCount count =
                run(
                        with(fabric()),
                        new Extent("emu:a", 1, 0L, 32L),
                        new Extent("emu:b", 1, 0L, 32L),
                        job -> job.count(FenceChoice.NONE, 100, 1, Progress.NONE));
        assertThat(count.handOffs()).isZero();
        assertThat(count.upperBound()).isNull();
        assertThat(count.stopped().code()).isEqualTo("nothing-measured");
    }

    @Test
    void aMediumThatKeepsNothingIsRefused() {
        DriveModel empty = drive("b").namespace(NamespaceModel.discarding(MEDIUM, 512)).build();
        PeerlaneException e = refused(fabric().drive(empty), A, B);
        assertThat(e.code()).isEqualTo("scratch-not-kept");
        assertThat(e).hasMessageContaining("emu:b/n1");
    }

    /** A target that always says "equal" would make any fence look good. */
    @Test
    void aTargetThatAlwaysSaysEqualMeasuresNothing() {
        FabricModel.Builder fabric = with(fabric()).fault(Fault.at(Fault.Kind.COMPARE_LIES, "b"));
        LitmusCount count = count(fabric, FenceChoice.SENTINEL, 100);
        assertThat(count.stopped()).isNotNull();
        assertThat(count.stopped().code()).isEqualTo("compare-lies");
    }

    @Test
    void aScratchRangeOfOneChunkIsRefused() {
        Extent short1 = new Extent("emu:a", 1, 0L, 8L);
        Extent short2 = new Extent("emu:b", 1, 0L, 8L);
        assertThat(refused(with(fabric()), short1, short2).code()).isEqualTo("scratch-too-small");
    }

    @Test
    void aTargetWithoutCompareIsRefused() {
        DriveModel b = drive("b").memory(MEDIUM, 512).compare(false).build();
        assertThat(refused(fabric().drive(b), A, B).code()).isEqualTo("no-compare");
    }

    @Test
    void aPlanThroughHostMemoryIsRefused() {
        buffer = BufferChoice.HOST;
        assertThat(refused(with(fabric()), A, B).code()).isEqualTo("no-cmb");
    }

    @Test
    void lostWritesAreNotAMatterOfOrdering() {
        FabricModel.Builder fabric = with(fabric()).peerWrites(FabricModel.PeerWrites.VANISH);
        LitmusCount count = count(fabric, FenceChoice.NONE, 100);
        assertThat(count.stopped().code()).isEqualTo("data-never-arrived");
        assertThat(count.handOffs()).isZero();
        assertThat(count(fabric(fabric), FenceChoice.SENTINEL, 100).stopped().code())
                .isEqualTo("peer-writes-lost");
    }

    private static FabricModel.Builder fabric(FabricModel.Builder used) {
        return used.seed(2);
    }

    @Test
    void aCancelledCountTellsHowFarItCame() {
        LitmusCount count =
                run(
                        with(fabric()),
                        A,
                        B,
                        job ->
                                job.count(
                                        FenceChoice.NONE,
                                        1_000_000,
                                        ALWAYS,
                                        (phase, done, total) -> {
                                            if (done > 4096 * 50) {
                                                cancel.cancel();
                                            }
                                        }));
        assertThat(count.stopped().category()).isEqualTo(PeerlaneException.Category.INTERRUPTED);
        assertThat(count.handOffs()).isBetween(50L, 1000L);
        assertThat(count.upperBound()).isPositive();
    }

    @Test
    void theSourcesOwnMemoryIsCountedToo() {
        buffer = BufferChoice.SOURCE;
        LitmusCount count = count(slowRoot(), FenceChoice.NONE, 300);
        assertThat(count.stopped()).isNull();
        assertThat(count.stale()).isZero();
    }

    @Test
    void nothingOutsideTheScratchRangesIsWritten(@TempDir Path folder) throws IOException {
        byte[] before = new byte[MEDIUM];
        Arrays.fill(before, (byte) 0x5a);
        Path a = Files.write(folder.resolve("a.img"), before);
        Path b = Files.write(folder.resolve("b.img"), before);
        FabricModel.Builder fabric =
                FabricModel.builder()
                        .time(FabricModel.Time.VIRTUAL)
                        .drive(drive("a").namespace(NamespaceModel.image(a, 512)).build())
                        .drive(drive("b").namespace(NamespaceModel.image(b, 512)).build());
        assertThat(count(fabric, FenceChoice.SENTINEL, 200).stopped()).isNull();
        assertOutside(Files.readAllBytes(a), 16 * 512, (16 + 256) * 512);
        assertOutside(Files.readAllBytes(b), 32 * 512, (32 + 256) * 512);
    }

    private static void assertOutside(byte[] image, int from, int to) {
        assertThat(Arrays.copyOf(image, from)).containsOnly(0x5a);
        assertThat(Arrays.copyOfRange(image, to, image.length)).containsOnly(0x5a);
        assertThat(Arrays.copyOfRange(image, from, from + 512)).isNotEqualTo(new byte[512]);
        assertThat(Arrays.mismatch(image, from, from + 8, new byte[8], 0, 8)).isNotNegative();
    }
}
