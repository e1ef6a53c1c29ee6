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
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PacketModel.Forwarding;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.emulator.watch.PeerFlow;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeStatusException;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.RootComplex.Trust;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver and the copy, unchanged, on the fabric of packets. */
class PacketCopyTest {
    private static final int SIZE = 256 << 10;
    private static final Extent A = new Extent("emu:a", 1, null, null);
    private static final Extent B = new Extent("emu:b", 1, null, null);
    private static final int REDIRECT = PortModel.ACS_REDIRECT;

    @TempDir private Path directory;
    private Path source;
    private Path target;
    private FabricModel.Builder fabric;
    private EmulatedFabric world;

    @BeforeEach
    void images() throws IOException {
        source = directory.resolve("a.img");
        target = directory.resolve("b.img");
        byte[] data = new byte[SIZE];
        new SplittableRandom(23).nextBytes(data);
        Files.write(source, data);
        Files.write(target, new byte[SIZE]);
        fabric = FabricModel.builder().seed(9).packets(PacketModel.DEFAULTS);
    }

    private Session session() {
        fabric.drive(drive("a").namespace(NamespaceModel.image(source, 512)).build());
        fabric.drive(drive("b").namespace(NamespaceModel.image(target, 512)).build());
        fabric.drive(drive("c").memory(SIZE, 512).build());
        world = new EmulatedFabric(fabric.build());
        return Session.of(world);
    }

    private static DriveModel.Builder drive(String name) {
        return DriveModel.named(name).cmb(CmbModel.of(256 << 10)).latencyNanos(5_000);
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
        return CopyOptions.DEFAULTS.withBuffer(choice).withSlots(8 << 10, 0).withSeed(3);
    }

    private Receipt copy(CopyOptions options) throws IOException {
        try (Session session = session()) {
            Receipt receipt = session.copy(A, B, options);
            assertThat(Files.mismatch(source, target)).as("first byte that differs").isEqualTo(-1);
            return receipt;
        }
    }

    private static PortModel ports(int acs) {
        return PortModel.switchOf(
                PortModel.drive("a").withAcs(acs),
                PortModel.drive("b").withAcs(acs),
                PortModel.drive("c").withAcs(acs));
    }

    @ParameterizedTest
    @ValueSource(strings = {"target", "source", "third", "host"})
    void aCopyIsRightOverPackets(String buffer) throws IOException {
        Receipt receipt = copy(through(buffer));
        assertThat(receipt.verify().result()).isEqualTo("ok");
        assertThat(world.packetsSent()).isGreaterThan(SIZE / 256);
        assertThat(world.packetsPassed()).as("packets that passed others").isPositive();
        assertThat(world.traffic().orElseThrow().total().faulted()).isZero();
        if (!buffer.equals("host")) {
            assertThat(receipt.hostDataBytes()).isZero();
        }
    }

    @Test
    void theSameSeedGivesTheSamePackets() throws IOException {
        List<List<String>> traces = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            Files.write(target, new byte[SIZE]);
            fabric = FabricModel.builder().seed(11).packets(PacketModel.DEFAULTS);
            List<String> trace = new ArrayList<>();
            try (Session session = session()) {
                world.trace(trace::add);
                session.copy(A, B, through("target"));
            }
            traces.add(trace);
        }
        assertThat(traces.getFirst()).hasSizeGreaterThan(1000).isEqualTo(traces.getLast());
    }

    @Test
    void aSmallPayloadMeansMorePackets() throws IOException {
        CopyOptions unwiped = through("target").withVerify(VerifyMode.NONE).withWipe(false);
        copy(unwiped);
        long many = world.packetsSent();
        fabric = FabricModel.builder().packets(PacketModel.DEFAULTS.withMaxPayloadBytes(4096));
        copy(unwiped);
        assertThat(world.packetsSent()).isLessThan(many / 2);
    }

    @Test
    void aSlowLinkSlowsTheCopyAsItsBandwidthSays() throws IOException {
        fabric.packets(
                PacketModel.DEFAULTS.withLinks(
                        PacketModel.DEFAULTS.link(),
                        Map.of("a", new PacketModel.Link(200, 50_000_000, 16))));
        Receipt receipt = copy(through("target").withVerify(VerifyMode.NONE));
        // 24 bytes of header for each 256 of data, and commands and completions beside them
        assertThat(receipt.bytesPerSecond()).isBetween(25e6, 50e6 * 256 / 280);
    }

    @Test
    void oneCreditIsEnoughToArrive() throws IOException {
        fabric.packets(
                PacketModel.DEFAULTS.withLinks(
                        new PacketModel.Link(150, 4_000_000_000L, 1), Map.of()));
        assertThat(copy(through("third")).verify().result()).isEqualTo("ok");
    }

    @ParameterizedTest
    @CsvSource({"FULL, ok", "SLOW, ok", "WRITES, ok", "NONE, peer-writes-lost"})
    void redirectedWritesArriveOnlyWhereTheRootComplexForwardsThem(
            Forwarding forwarding, String outcome) throws IOException {
        fabric.port(ports(REDIRECT)).rootComplex(Trust.TRUSTED, Trust.TRUSTED);
        fabric.packets(PacketModel.DEFAULTS.withForwarding(forwarding, 2_000));
        if (outcome.equals("ok")) {
            assertThat(copy(through("target")).route().getFirst().crossesRoot()).isTrue();
            return;
        }
        CopyException e = catchThrowableOfType(CopyException.class, () -> copy(through("target")));
        assertThat(e.code()).isEqualTo(outcome);
        assertThat(Files.readAllBytes(target)).as("nothing was written").containsOnly(0);
    }

    @Test
    void aPeerReadThatTheRootComplexRefusesFailsTheCommand() throws IOException {
        fabric.port(ports(REDIRECT)).rootComplex(Trust.TRUSTED, Trust.TRUSTED);
        fabric.packets(PacketModel.DEFAULTS.withForwarding(Forwarding.WRITES, 2_000));
        CopyException e = catchThrowableOfType(CopyException.class, () -> copy(through("source")));
        assertThat(e.code()).isEqualTo("write-failed");
        assertThat(e).hasMessageContaining("Data Transfer Error");
    }

    @Test
    void directPeerTrafficNeedsNoForwarding() throws IOException {
        fabric.packets(PacketModel.DEFAULTS.withForwarding(Forwarding.NONE, 500));
        assertThat(copy(through("third")).verify().result()).isEqualTo("ok");
    }

    @ParameterizedTest
    @ValueSource(strings = {"target", "third"})
    void hostStoresThatArriveLateHarmNothing(String buffer) throws IOException {
        fabric.packets(PacketModel.DEFAULTS.withHostStoreNanos(40_000));
        assertThat(copy(through(buffer)).verify().result()).isEqualTo("ok");
    }

    @Test
    void whatTheRootComplexDoesNotForwardIsOnRecord() {
        fabric.port(ports(REDIRECT)).rootComplex(Trust.TRUSTED, Trust.TRUSTED);
        fabric.packets(PacketModel.DEFAULTS.withForwarding(Forwarding.NONE, 500));
        CopyException e = catchThrowableOfType(CopyException.class, () -> copy(through("target")));
        assertThat(e.code()).isEqualTo("peer-writes-lost");
        DmaFault first = world.faults().getFirst();
        assertThat(first.direction()).isEqualTo(Direction.WRITE);
        assertThat(first.why()).isEqualTo("the root complex does not forward it");
        assertThat(first.initiator().toString()).isEqualTo("0000:03:00.0");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anAddressThatNobodyMappedIsAFaultOfTheIommu(boolean packets) {
        fabric.packets(packets ? PacketModel.DEFAULTS : null).time(FabricModel.Time.VIRTUAL);
        try (Session session = session()) {
            Namespace ns = session.namespace(A);
            long gone;
            try (DmaBuffer buffer = world.dma().allocate(4096)) {
                gone = buffer.busAddress();
                ns.read(buffer, 0, 0, 1);
                assertThat(world.faults()).isEmpty();
                world.detachMemory(gone);
                NvmeStatusException e =
                        catchThrowableOfType(
                                NvmeStatusException.class, () -> ns.write(buffer, 0, 0, 1));
                assertThat(e).hasMessageContaining("Data Transfer Error");
                world.attachMemory(gone, buffer.segment());
            }
            DmaFault fault = world.faults().getFirst();
            assertThat(fault.direction()).isEqualTo(Direction.READ);
            assertThat(fault.address()).isEqualTo(gone);
            assertThat(fault.why()).isEqualTo("IOMMU: no mapping");
            assertThat(fault.words()).contains("0000:03:00.0").contains("read of");
        }
    }

    @Test
    void egressControlWithoutRedirectLosesWhatIsSentToItsPort() {
        PortModel a = PortModel.drive("a").withAcs(0x20).withEgress(2);
        fabric.port(PortModel.switchOf(a, PortModel.drive("b"), PortModel.drive("c")));
        fabric.rootComplex(Trust.TRUSTED, Trust.TRUSTED);
        PeerlaneException e =
                catchThrowableOfType(PeerlaneException.class, () -> copy(through("target")));
        assertThat(e.code()).isEqualTo("no-permitted-route");
        assertThat(e).hasMessageContaining("stops requests for 0000:02:01.0 (EC)");
    }

    @Test
    void egressControlOfAnotherPortHarmsNobody() throws IOException {
        PortModel a = PortModel.drive("a").withAcs(0x20).withEgress(3);
        fabric.port(PortModel.switchOf(a, PortModel.drive("b"), PortModel.drive("c")));
        fabric.rootComplex(Trust.TRUSTED, Trust.TRUSTED);
        fabric.packets(PacketModel.DEFAULTS.withForwarding(Forwarding.NONE, 500));
        assertThat(copy(through("target")).verify().result()).isEqualTo("ok");
    }

    @Test
    void translatedRequestsGoStraightWhereAPortRedirectsOthers() throws IOException {
        int acs = 0x4c;
        fabric.port(ports(acs)).rootComplex(Trust.TRUSTED, Trust.TRUSTED);
        fabric.packets(
                PacketModel.DEFAULTS
                        .withForwarding(Forwarding.NONE, 500)
                        .withAts(Set.of("a", "b")));
        assertThat(copy(through("target")).verify().result()).isEqualTo("ok");
        assertThat(world.peerFlows()).isNotEmpty().noneMatch(PeerFlow::throughRoot);
    }

    @Test
    void aDriveWhoseTranslatedRequestsAreBlockedReachesNothing() {
        fabric.port(ports(2)).packets(PacketModel.DEFAULTS.withAts(Set.of("a")));
        PeerlaneException e =
                catchThrowableOfType(PeerlaneException.class, () -> copy(through("target")));
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
        assertThat(world.faults().getFirst().why()).endsWith("translation blocking");
    }
}
