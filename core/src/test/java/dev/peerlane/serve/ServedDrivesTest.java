package dev.peerlane.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the driver on served drives, all on one thread: whichever side waits, the server runs. */
class ServedDrivesTest {
    private static final int SIZE = 1 << 20;
    private static final long TIMEOUT_NANOS = 5_000_000_000L;

    @TempDir private Path folder;
    private final List<String> notes = new ArrayList<>();
    private Server server;

    /** Runs a turn of the server in each turn of the client. */
    private final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return System.nanoTime();
                }

                @Override
                public void turn() {
                    server.turn();
                }
            };

    @BeforeEach
    void images() throws IOException {
        byte[] bytes = new byte[SIZE];
        new SplittableRandom(41).nextBytes(bytes);
        Files.write(folder.resolve("a.img"), bytes);
        Files.write(folder.resolve("b.img"), new byte[SIZE]);
    }

    private void serve(CmbModel cmb, Fault... faults) {
        FabricModel.Builder model = FabricModel.builder();
        for (String name : new String[] {"a", "b"}) {
            model.drive(
                    DriveModel.named(name)
                            .namespace(NamespaceModel.image(folder.resolve(name + ".img"), 512))
                            .cmb(cmb)
                            .build());
        }
        for (Fault fault : faults) {
            model.fault(fault);
        }
        server = Server.open(model.build(), folder, notes::add);
    }

    @AfterEach
    void stop() {
        server.close();
        assertThat(folder.resolve("a.sock")).doesNotExist();
    }

    private VfioUserFabric connect() {
        return VfioUserFabric.open(server.sockets(), clock, TIMEOUT_NANOS);
    }

    private static String locator(Path socket) {
        return VfioUserFabric.LOCATOR_PREFIX + socket;
    }

    @ParameterizedTest
    @CsvSource({"2, V1_4, 0", "0, V1_4, 1", "4, V1_2, 0"})
    void copyGoesThroughTheCmbOfAnotherDrive(int bar, CmbModel.Version version, int offset)
            throws IOException {
        serve(
                new CmbModel(
                        256 << 10,
                        version,
                        bar,
                        64 << 10,
                        offset,
                        0,
                        CmbModel.COMMON_SUPPORT,
                        0,
                        64,
                        0,
                        0));
        Receipt receipt;
        try (Session session = Session.of(connect())) {
            Extent source = Extent.parse(locator(server.sockets().get(0)));
            Extent target = Extent.parse(locator(server.sockets().get(1)));
            CopyOptions how = CopyOptions.DEFAULTS.withBuffer(BufferChoice.device(target.device()));
            receipt = session.copy(source, target, how);
        }
        assertThat(receipt.buffer().kind()).isEqualTo("target-cmb");
        assertThat(receipt.bytesCopied()).isEqualTo(SIZE);
        assertThat(Files.readAllBytes(folder.resolve("b.img")))
                .isEqualTo(Files.readAllBytes(folder.resolve("a.img")));
    }

    @Test
    void recreatedQueuesStartWithFreshDoorbells() {
        serve(CmbModel.of(64 << 10));
        try (VfioUserFabric fabric = connect();
                Controller c =
                        Controller.open(
                                fabric,
                                locator(server.sockets().get(0)),
                                ControllerOptions.DEFAULTS)) {
            Namespace ns = c.namespace(1);
            for (int round = 0; round < 3; round++) {
                try (DmaBuffer data = fabric.dma().allocate(8192)) {
                    ns.read(data, 0, 0, 16);
                    assertThat(data.segment().get(ValueLayout.JAVA_LONG, 0)).isNotZero();
                }
                c.reset();
            }
        }
    }

    @Test
    void aFaultHappensOnlyToTheDriveThatItNames() {
        serve(
                CmbModel.of(64 << 10),
                Fault.at(Fault.Kind.STATUS, "b").onIo(NvmOpcode.READ),
                Fault.ofHost(Fault.Kind.ALLOCATION));
        for (Path socket : server.sockets()) {
            boolean faulty = socket.endsWith("b.sock");
            try (VfioUserFabric fabric = connect();
                    Controller c =
                            Controller.open(fabric, locator(socket), ControllerOptions.DEFAULTS);
                    DmaBuffer data = fabric.dma().allocate(4096)) {
                PeerlaneException e =
                        catchThrowableOfType(
                                PeerlaneException.class, () -> c.namespace(1).read(data, 0, 0, 8));
                assertThat(e != null).as("%s: %s", socket, e).isEqualTo(faulty);
            }
        }
    }

    @Test
    void nothingOfAClientIsLeftForTheNextOne() {
        serve(CmbModel.of(64 << 10));
        String a = locator(server.sockets().get(0));
        try (VfioUserFabric fabric = connect();
                PciDevice device = fabric.open(a)) {
            device.bar(2).store64(0x1000, 0x1234_5678_9abc_def0L);
            assertThat(device.bar(2).load64(0x1000)).isEqualTo(0x1234_5678_9abc_def0L);
            device.bar(0).store32(0x24, 0x001f_001f);
        }
        assertThat(clock.await(() -> server.clients() == 0, TIMEOUT_NANOS)).isTrue();
        try (VfioUserFabric fabric = connect();
                PciDevice device = fabric.open(a)) {
            assertThat(device.bar(2).load64(0x1000)).isZero();
            assertThat(device.bar(0).load32(0x24)).isZero();
        }
        assertThat(notes).contains("a: a client connected");
    }

    @Test
    void aClientThatConnectsRightAfterAnotherLeftFindsTheDriveFree() {
        serve(CmbModel.of(64 << 10));
        for (int i = 0; i < 3; i++) {
            try (VfioUserFabric fabric = connect();
                    PciDevice device = fabric.open(locator(server.sockets().get(0)))) {
                assertThat(device.bar(2).load64(0x1000)).isZero();
                device.bar(2).store64(0x1000, 1);
            }
        }
        assertThat(notes).filteredOn(note -> note.contains("a: the client is gone")).hasSize(2);
    }

    @Test
    void aSecondClientIsRefusedWithTheReason() {
        serve(CmbModel.of(64 << 10));
        try (VfioUserFabric first = connect()) {
            PeerlaneException e =
                    catchThrowableOfType(PeerlaneException.class, () -> connect().close());
            assertThat(e.code()).isEqualTo("vfio-user-busy");
            assertThat(e.category()).isEqualTo(PeerlaneException.Category.MACHINE);
            assertThat(e.getMessage()).contains("a.sock").contains("another client has had it");
            try (PciDevice device = first.open(locator(server.sockets().get(1)))) {
                assertThat(device.bar(0).load32(8)).isEqualTo(0x0001_0400);
            }
        }
    }

    @Test
    void aDeviceWhoseServerIsGoneReadsAllOnesAfterOneClearError() {
        serve(CmbModel.of(64 << 10));
        try (VfioUserFabric fabric = connect();
                PciDevice device = fabric.open(locator(server.sockets().get(0)))) {
            server.close();
            PeerlaneException e =
                    catchThrowableOfType(PeerlaneException.class, () -> device.bar(0).load32(0x1c));
            assertThat(e.code()).isEqualTo("vfio-user-gone");
            // as for a VFIO device that vanishes while it is in use
            assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
            assertThat(device.bar(0).load32(0x1c)).isEqualTo(-1);
            device.bar(0).doorbell(0x1000).ring(1);
        }
    }

    @Test
    void aPeersBarIsMappedOnceAndCanBeMappedAgainAfterClosing() {
        serve(CmbModel.of(64 << 10));
        try (VfioUserFabric fabric = connect();
                PciDevice device = fabric.open(locator(server.sockets().get(0)))) {
            PeerMapping mapping = fabric.dma().mapPeer(device, device.bar(2), 4096, 8192);
            assertThat(mapping.busAddress()).isEqualTo(device.bar(2).pciAddress() + 4096);
            PeerlaneException e =
                    catchThrowableOfType(
                            PeerlaneException.class,
                            () -> fabric.dma().mapPeer(device, device.bar(2), 8192, 4096));
            assertThat(e.code()).isEqualTo("peer-mapped-already");
            mapping.close();
            fabric.dma().mapPeer(device, device.bar(2), 8192, 4096).close();
            e =
                    catchThrowableOfType(
                            PeerlaneException.class,
                            () -> fabric.dma().mapPeer(device, device.bar(0), 0, 4096));
            assertThat(e.code()).isEqualTo("peer-unreachable");
            assertThat(e.values()).containsKey("bar");
        }
    }

    @Test
    void anAbandonedSocketIsReplacedAndOneInUseIsNot() {
        serve(CmbModel.of(64 << 10));
        PeerlaneException e =
                catchThrowableOfType(
                        PeerlaneException.class,
                        () ->
                                Server.open(
                                        FabricModel.builder()
                                                .drive(
                                                        DriveModel.named("a")
                                                                .memory(SIZE, 512)
                                                                .build())
                                                .build(),
                                        folder,
                                        notes::add));
        assertThat(e.code()).isEqualTo("socket-not-made");
        assertThat(e.getMessage()).contains("a.sock is in use: another server");
        assertThat(server.sockets().get(0)).exists();
        // what a killed server leaves behind
        try (var dead = dev.peerlane.linux.UnixSocket.create()) {
            assertThat(dead.bind(folder.resolve("c.sock").toString())).isZero();
        }
        FabricModel c =
                FabricModel.builder()
                        .drive(DriveModel.named("c").memory(SIZE, 512).build())
                        .build();
        Server.open(c, folder, notes::add).close();
        assertThat(folder.resolve("c.sock")).doesNotExist();
    }
}
