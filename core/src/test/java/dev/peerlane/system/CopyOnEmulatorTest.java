package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.FabricModel.PeerReads;
import dev.peerlane.emulator.model.FabricModel.PeerWrites;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.watch.ControllerStatistics;
import dev.peerlane.hal.TrafficCounters.Traffic;
import dev.peerlane.spec.NvmOpcode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The driver and the copy on emulated drives, in virtual time; the data is looked at in the images.
 */
class CopyOnEmulatorTest {
    private static final int SIZE = 4 << 20;
    private static final Extent A = new Extent("emu:a", 1, null, null);
    private static final Extent B = new Extent("emu:b", 1, null, null);

    @TempDir private Path directory;
    private Path source;
    private Path target;
    private FabricModel.Builder fabric;
    private int sourceBlockBytes = 512;
    private int targetBlockBytes = 512;
    private CmbModel sourceCmb = CmbModel.of(1 << 20);
    private CmbModel targetCmb = CmbModel.of(1 << 20);
    private CmbModel thirdCmb = CmbModel.of(1 << 20);
    private boolean compares = true;
    private long latencyNanos;
    private EmulatedFabric world;

    @BeforeEach
    void images() throws IOException {
        source = directory.resolve("a.img");
        target = directory.resolve("b.img");
        byte[] data = new byte[SIZE];
        new SplittableRandom(17).nextBytes(data);
        Files.write(source, data);
        Files.write(target, new byte[SIZE]);
        fabric = FabricModel.builder().time(FabricModel.Time.VIRTUAL).seed(5);
    }

    private Session session() {
        fabric.drive(drive("a", NamespaceModel.image(source, sourceBlockBytes), sourceCmb));
        fabric.drive(drive("b", NamespaceModel.image(target, targetBlockBytes), targetCmb));
        fabric.drive(drive("c", NamespaceModel.memory(SIZE, 512), thirdCmb));
        world = new EmulatedFabric(fabric.build());
        return Session.of(world);
    }

    private DriveModel drive(String name, NamespaceModel namespace, CmbModel cmb) {
        return DriveModel.named(name)
                .namespace(namespace)
                .cmb(cmb)
                .compare(compares)
                .latencyNanos(latencyNanos)
                .build();
    }

    private static CopyOptions through(String buffer) {
        BufferChoice choice =
                switch (buffer) {
                    case "target" -> BufferChoice.TARGET;
                    case "source" -> BufferChoice.SOURCE;
                    case "third" -> BufferChoice.device("emu:c");
                    case "host" -> BufferChoice.HOST;
                    default -> BufferChoice.AUTO;
                };
        // the guard's Reads of the target are not counted with those of the copy
        return CopyOptions.DEFAULTS.withBuffer(choice).withOverwrite(true).withSeed(3);
    }

    private Receipt copy(CopyOptions options) {
        try (Session session = session()) {
            return session.copy(A, B, options);
        }
    }

    private void assertCopied() throws IOException {
        assertThat(Files.mismatch(source, target)).as("first byte that differs").isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "target", "source", "third"})
    void noDataByteOfAPeerCopyTouchesHostMemory(String buffer) throws IOException {
        try (Session session = session()) {
            Receipt receipt = session.copy(A, B, through(buffer));
            assertThat(receipt.hostDataBytes()).isZero();
            assertThat(receipt.verify().result()).isEqualTo("ok");
            Traffic total = world.traffic().orElseThrow().total();
            assertThat(total.hostData()).isZero();
            assertThat(total.faulted()).isZero();
            assertThat(total.peerRead() + total.peerWritten()).isGreaterThanOrEqualTo(SIZE);
            assertThat(total.hostQueue()).isPositive();
        }
        assertCopied();
    }

    @Test
    void aCopyThroughHostMemoryIsCountedAsSuch() throws IOException {
        Receipt receipt = copy(through("host").withVerify(VerifyMode.NONE));
        assertThat(receipt.hostDataBytes()).isEqualTo(2L * SIZE);
        assertCopied();
    }

    @ParameterizedTest
    @CsvSource({
        "ONES, source, verify-mismatch",
        "ZEROES, source, verify-mismatch",
        "OTHER_MEMORY, source, verify-mismatch",
        "ONES, third, verify-mismatch",
        "ZEROES, third, verify-mismatch",
        "OTHER_MEMORY, third, verify-mismatch"
    })
    void aFabricWhosePeerReadsLieIsFoundOut(PeerReads reads, String buffer, String code) {
        fabric.peerReads(reads);
        CopyException e = catchThrowableOfType(CopyException.class, () -> copy(through(buffer)));
        assertThat(e).as("the copy must fail").isNotNull();
        assertThat(e.code()).isEqualTo(code);
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
        assertThat(e.receipt().verify().result()).isEqualTo("failed");
        assertThat(e.receipt().error().firstBadLba()).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"ONES", "ZEROES", "OTHER_MEMORY"})
    void lyingPeerReadsAreFoundOutWhereOnlyAThirdPartyHasACmb(PeerReads reads) {
        sourceCmb = null;
        targetCmb = null;
        fabric.peerReads(reads);
        CopyException e = catchThrowableOfType(CopyException.class, () -> copy(through("third")));
        assertThat(e).as("the copy must fail").isNotNull();
        assertThat(e.code()).isIn("peer-reads-lie", "verify-mismatch");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ONES", "ZEROES", "OTHER_MEMORY"})
    void theTargetsCmbNeedsNoPeerReads(PeerReads reads) throws IOException {
        fabric.peerReads(reads);
        assertThat(copy(through("target")).result()).isEqualTo("ok");
        assertCopied();
    }

    @ParameterizedTest
    @ValueSource(strings = {"target", "source", "third"})
    void aFabricThatLosesPeerWritesIsFoundOut(String buffer) throws IOException {
        fabric.peerWrites(PeerWrites.VANISH);
        CopyException e = catchThrowableOfType(CopyException.class, () -> copy(through(buffer)));
        assertThat(e).as("the copy must fail").isNotNull();
        assertThat(e.code()).isEqualTo("peer-writes-lost");
        if (!buffer.equals("source")) {
            assertThat(Files.readAllBytes(target)).as("nothing was written").containsOnly(0);
        }
    }

    @ParameterizedTest
    @CsvSource({"512, 4096", "4096, 512", "4096, 4096", "512, 8192"})
    void blockSizesMayDiffer(int sourceBytes, int targetBytes) throws IOException {
        sourceBlockBytes = sourceBytes;
        targetBlockBytes = targetBytes;
        Receipt receipt = copy(through("target"));
        assertThat(receipt.source().blocks()).isEqualTo(SIZE / sourceBytes);
        assertThat(receipt.target().blocks()).isEqualTo(SIZE / targetBytes);
        assertCopied();
    }

    @ParameterizedTest
    @ValueSource(strings = {"V1_2", "V1_3", "V1_4"})
    void everyVersionOfTheCmbCarriesACopy(CmbModel.Version version) throws IOException {
        sourceCmb = sourceCmb.withVersion(version);
        targetCmb = targetCmb.withVersion(version);
        for (String buffer : List.of("target", "source")) {
            Files.write(target, new byte[SIZE]);
            fabric = FabricModel.builder().time(FabricModel.Time.VIRTUAL).seed(6);
            assertThat(copy(through(buffer)).hostDataBytes()).isZero();
            assertCopied();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {4096, 8192, 65536})
    void aSmallCmbIsEnough(long bytes) throws IOException {
        targetCmb = CmbModel.of(bytes);
        Receipt receipt = copy(through("target"));
        assertThat(receipt.buffer().bytes()).isLessThanOrEqualTo(bytes);
        assertCopied();
    }

    @Test
    void bothSidesHaveEightCommandsInFlightForMostOfALongRun() throws IOException {
        latencyNanos = 80_000;
        targetCmb = CmbModel.of(16 << 20);
        try (Session session = session()) {
            session.copy(
                    A, B, through("target").withVerify(VerifyMode.NONE).withSlots(4 << 10, 64));
            for (String name : List.of("a", "b")) {
                ControllerStatistics statistics = world.controller(name).statistics();
                long busy = 0;
                long deep = 0;
                for (int depth = 1; depth <= 64; depth++) {
                    busy += statistics.nanosAtDepth(depth);
                    deep += depth >= 8 ? statistics.nanosAtDepth(depth) : 0;
                }
                assertThat(deep).as("time of %s at depth 8 and more", name).isGreaterThan(busy / 2);
            }
        }
        assertCopied();
    }

    @Test
    void withoutCompareTheVerificationGoesThroughHostMemoryAndSaysSo() throws IOException {
        compares = false;
        Receipt receipt = copy(through("auto"));
        assertThat(receipt.buffer().kind()).isEqualTo("target-cmb");
        assertThat(receipt.verify().method()).isEqualTo("host");
        assertThat(receipt.hostDataBytes()).isEqualTo(2L * SIZE);
        assertThat(receipt.notes()).anyMatch(n -> n.contains("host memory"));
        assertCopied();
    }

    @Test
    void withoutAnyCmbTheFallbackIsSaid() throws IOException {
        sourceCmb = null;
        targetCmb = null;
        thirdCmb = null;
        Receipt receipt = copy(through("auto"));
        assertThat(receipt.buffer().kind()).isEqualTo("host");
        assertThat(receipt.notes()).anyMatch(n -> n.contains("not peer to peer"));
        assertCopied();
    }

    @Test
    void aThirdPartyIsTakenWhereNeitherSideHasACmb() throws IOException {
        sourceCmb = null;
        targetCmb = null;
        Receipt receipt = copy(through("auto"));
        assertThat(receipt.buffer().kind()).isEqualTo("third-party-cmb");
        assertThat(receipt.verify().method()).isEqualTo("controlled-compare");
        assertThat(receipt.hostDataBytes()).isZero();
        assertCopied();
    }

    @Test
    void oneSessionMakesAnyNumberOfCopies() {
        try (Session session = session()) {
            for (int i = 0; i < 12; i++) {
                Extent from = new Extent("emu:a", 1, i * 8L, 8L);
                assertThat(session.copy(from, B, through("auto")).result()).isEqualTo("ok");
            }
        }
    }

    @Test
    void copiesThatFailGiveTheirQueuesBackToo() {
        fabric.peerWrites(PeerWrites.VANISH);
        try (Session session = session()) {
            for (int i = 0; i < 12; i++) {
                CopyException e =
                        catchThrowableOfType(
                                CopyException.class, () -> session.copy(A, B, through("target")));
                assertThat(e.code()).isEqualTo("peer-writes-lost");
            }
        }
    }

    @Test
    void rangesAreCopiedAndNothingElseChanges() throws IOException {
        byte[] before = new byte[SIZE];
        Arrays.fill(before, (byte) 0x5a);
        Files.write(target, before);
        try (Session session = session()) {
            session.copy(
                    new Extent("emu:a", 1, 100L, 3001L),
                    new Extent("emu:b", null, 77L, 3001L),
                    through("target"));
        }
        byte[] expected = before.clone();
        System.arraycopy(Files.readAllBytes(source), 100 * 512, expected, 77 * 512, 3001 * 512);
        assertThat(Arrays.mismatch(Files.readAllBytes(target), expected)).isEqualTo(-1);
    }

    /** Ten chunks and a shorter one, whose Write alone goes wrong. */
    @ParameterizedTest
    @ValueSource(strings = {"target", "source", "host"})
    void aWrongByteInAShorterLastChunkIsFound(String buffer) {
        long blocks = 10 * 128 + 3;
        fabric.fault(Fault.at(Fault.Kind.WRONG_DATA, "b").onIo(NvmOpcode.WRITE).withOccasion(11));
        try (Session session = session()) {
            CopyException e =
                    catchThrowableOfType(
                            CopyException.class,
                            () ->
                                    session.copy(
                                            new Extent("emu:a", 1, 0L, blocks),
                                            new Extent("emu:b", 1, 0L, blocks),
                                            through(buffer).withSlots(64 << 10, 1)));
            assertThat(e).as("the copy's end").isNotNull();
            assertThat(e.code()).isEqualTo("verify-mismatch");
            assertThat(e.receipt().bytesCopied()).isEqualTo(blocks * 512);
        }
    }
}
