package dev.peerlane.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerFault;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.spec.wire.Cns;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests client and driver on a server that behaves like SPDK's, with one test for each peculiarity.
 */
class SpdkLikeServerTest {
    private static final long TIMEOUT_NANOS = 1_000_000_000L;

    @TempDir private Path folder;
    private SpdkLikeServer server;

    @BeforeEach
    void serve() {
        server = new SpdkLikeServer(folder.resolve("cntrl"));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** Connects to the server's folder, as SPDK's clients do. */
    private VfioUserFabric connect() {
        return VfioUserFabric.open(List.of(folder), server.clock, TIMEOUT_NANOS);
    }

    private static Controller open(VfioUserFabric fabric) {
        return Controller.open(fabric, fabric.locators().getFirst(), ControllerOptions.DEFAULTS);
    }

    private void drive(Consumer<Controller> work) {
        try (VfioUserFabric fabric = connect();
                Controller controller = open(fabric)) {
            work.accept(controller);
        }
        assertThat(server.clock.await(() -> server.isIdle(), TIMEOUT_NANOS)).isTrue();
    }

    private static byte[] data(int bytes, long seed) {
        byte[] data = new byte[bytes];
        new SplittableRandom(seed).nextBytes(data);
        return data;
    }

    /** Writes 600 KiB, more than four commands can hold, and reads them back. */
    private static void writeAndRead(Controller controller) {
        byte[] data = data(600 << 10, 11);
        Namespace namespace = controller.namespace(1);
        try (DmaBuffer memory = controller.dma().allocate(data.length)) {
            MemorySegment.copy(MemorySegment.ofArray(data), 0, memory.segment(), 0, data.length);
            namespace.write(memory, 0, 100, data.length / 512);
            memory.segment().fill((byte) 0);
            namespace.read(memory, 0, 100, data.length / 512);
            assertThat(memory.segment().mismatch(MemorySegment.ofArray(data)))
                    .isIn(-1L, (long) data.length);
        }
    }

    @Test
    void driverWritesAndReads() {
        drive(SpdkLikeServerTest::writeAndRead);
        byte[] medium = server.controller().medium(1);
        byte[] data = data(600 << 10, 11);
        assertThat(Arrays.copyOfRange(medium, 51200, 51200 + data.length)).isEqualTo(data);
        assertThat(server.controller().violations()).isEmpty();
    }

    @Test
    void controllerFailsAtItsFirstCompletionWhereIntxIsEnabled() {
        try (VfioUserFabric fabric = connect();
                Controller controller = open(fabric)) {
            ConfigSpace config = controller.device().config();
            int command = config.load16(ConfigSpace.COMMAND);
            assertThat(command & ConfigSpace.COMMAND_INTX_DISABLE).isNotZero();
            assertThat(server.isFatal()).isFalse();
            config.store16(ConfigSpace.COMMAND, command & ~ConfigSpace.COMMAND_INTX_DISABLE);
            ControllerFault e =
                    catchThrowableOfType(
                            ControllerFault.class,
                            () -> {
                                controller.admin().identify(Cns.CONTROLLER, 0, 0);
                                controller.admin().identify(Cns.CONTROLLER, 0, 0);
                            });
            assertThat(e.code()).isEqualTo("controller-fatal");
            assertThat(server.isFatal()).isTrue();
            controller.reset();
            writeAndRead(controller);
        }
    }

    @Test
    void everyClientDisablesIntxAndLeavesItDisabled() {
        drive(controller -> {});
        try (VfioUserFabric fabric = connect();
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            int command = device.config().load16(ConfigSpace.COMMAND);
            assertThat(command & ConfigSpace.COMMAND_INTX_DISABLE).as("of the last").isNotZero();
            assertThat(command & ConfigSpace.COMMAND_BUS_MASTER).isZero();
            device.config().store16(ConfigSpace.COMMAND, 0);
        }
        drive(SpdkLikeServerTest::writeAndRead);
    }

    @Test
    void doorbellsAreStoresIntoTheMappedPage() {
        drive(SpdkLikeServerTest::writeAndRead);
        assertThat(server.controller().statistics().doorbells()).isPositive();
        assertThat(server.asked)
                .noneMatch(a -> a.command() >= 9 && a.region() == 0 && a.offset() >= 0x1000);
    }

    @Test
    void doorbellsAreMessagesWhereBar0IsNotMappable() {
        server.doorbellsMappable = false;
        drive(SpdkLikeServerTest::writeAndRead);
        assertThat(server.asked)
                .filteredOn(a -> a.region() == 0 && a.offset() >= 0x1000)
                .isNotEmpty()
                .allMatch(a -> a.command() == Protocol.REGION_WRITE && a.count() == 4);
    }

    @Test
    void regionsAreAskedForOnceWithRoomForTheirCapabilities() {
        drive(controller -> {});
        assertThat(server.asked)
                .filteredOn(a -> a.command() == Protocol.DEVICE_GET_REGION_INFO)
                .extracting(SpdkLikeServer.Asked::region)
                .containsExactly(0, 1, 2, 3, 4, 5, 7);
        assertThat(server.asked)
                .filteredOn(a -> a.command() == Protocol.DEVICE_GET_REGION_INFO)
                .allMatch(a -> a.room() >= 64);
    }

    @Test
    void aRegionWithALongerDescriptionIsAskedForAgainWithEnoughRoom() {
        server.otherCapabilityBytes = 5000;
        drive(SpdkLikeServerTest::writeAndRead);
        assertThat(server.asked)
                .filteredOn(a -> a.command() == Protocol.DEVICE_GET_REGION_INFO && a.region() == 0)
                .extracting(SpdkLikeServer.Asked::room)
                .containsExactly(1024, 5064);
        assertThat(server.asked)
                .as("doorbells by message")
                .noneMatch(a -> a.command() >= 9 && a.region() == 0 && a.offset() >= 0x1000);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                SpdkLikeServer.VERSION_TEXT,
                "{\"capabilities\":{\"max_data_xfer_size\":4096}}",
                "{}",
                "",
                "{\"capabilities\":[}",
                "\u0000\u0001"
            })
    void whateverTheServerSaysOfItselfMessagesStaySmall(String text) {
        server.versionText = text;
        server.maxTransferBytes = 4096;
        drive(SpdkLikeServerTest::writeAndRead);
        assertThat(server.asked).allMatch(a -> a.count() <= 8);
    }

    @Test
    void registersAreAccessedIn4Or8BytesAndNoDoorbellIsRead() {
        server.doorbellsMappable = false;
        drive(SpdkLikeServerTest::writeAndRead);
        assertThat(server.asked)
                .filteredOn(a -> a.command() >= 9 && a.region() == 0)
                .isNotEmpty()
                .allMatch(a -> a.count() == 4 || a.count() == 8)
                .noneMatch(a -> a.command() == Protocol.REGION_READ && a.offset() >= 0x1000);
    }

    @Test
    void doorbellThatIsReadIsRefusedAndTheConnectionGoesOn() {
        server.doorbellsMappable = false;
        try (VfioUserFabric fabric = connect();
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            PeerlaneException e =
                    catchThrowableOfType(
                            PeerlaneException.class, () -> device.bar(0).load32(0x1000));
            assertThat(e.code()).isEqualTo("vfio-user-refused");
            assertThat(e.getMessage()).contains(folder.toString()).contains("EPERM");
            assertThat(device.bar(0).load32(8)).isEqualTo(0x0001_0400);
        }
    }

    @Test
    void memoryIsOneFileThatIsMappedBeforeTheControllerIsEnabled() {
        drive(SpdkLikeServerTest::writeAndRead);
        assertThat(server.mappedBeforeEnable).isEqualTo(1);
        assertThat(server.asked)
                .filteredOn(a -> a.command() == Protocol.DMA_MAP)
                .hasSize(1)
                .allMatch(a -> a.descriptors() == 1 && a.room() == 32);
    }

    @Test
    void aRefusedMappingIsReportedAndUsesNothing() {
        server.mostMappings = 1;
        try (VfioUserFabric fabric = connect();
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            DmaDomain own = fabric.dma().forDevice(device);
            DmaBuffer first = own.allocate(4096);
            PeerlaneException e =
                    catchThrowableOfType(PeerlaneException.class, () -> own.allocate(64 << 20));
            assertThat(e.code()).isEqualTo("vfio-user-refused");
            assertThat(e.getMessage()).contains(folder.toString()).contains("request 2", "EINVAL");
            assertThat(e.remedy()).isNotEmpty();
            assertThat(server.mappings()).isEqualTo(1);
            // the memory that is mapped can still be used
            own.allocate(8192).close();
            assertThat(first.busAddress()).isPositive();
        }
    }

    @Test
    void aFileThatContainsDoorbellsIsNotGivenToPeers() {
        try (VfioUserFabric fabric = connect();
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            PeerlaneException e =
                    catchThrowableOfType(
                            PeerlaneException.class,
                            () -> fabric.dma().mapPeer(device, device.bar(0), 0x1000, 4096));
            assertThat(e.code()).isEqualTo("peer-unreachable");
            assertThat(e.values()).containsKey("owner");
            assertThat(e).hasMessageContaining("its doorbells are in the same file");
        }
    }

    @Test
    void secondClientIsNeverAnsweredAndTimesOut() {
        try (VfioUserFabric first = connect()) {
            PeerlaneException e =
                    catchThrowableOfType(PeerlaneException.class, () -> connect().close());
            assertThat(e.code()).isEqualTo("vfio-user-timeout");
            assertThat(e.getMessage()).contains(folder.toString()).contains("1000 ms");
            assertThat(e.remedy()).contains("another client");
            try (PciDevice device = first.open(first.locators().getFirst())) {
                assertThat(device.bar(0).load32(8)).isEqualTo(0x0001_0400);
            }
        }
    }

    @Test
    void resetLeavesTheMemoryMappedAndTheFunctionUsable() {
        drive(controller -> {
            writeAndRead(controller);
            controller.reset();
            writeAndRead(controller);
            controller.device().reset();
        });
        assertThat(server.asked)
                .filteredOn(a -> a.command() == Protocol.DMA_MAP)
                .as("mapped once, for all resets")
                .hasSize(1);
    }

    @Test
    void aFunctionThatLosesItsConfigurationInAResetDecodesTheSameAddressesAfterwards() {
        server.resetClearsConfiguration = true;
        try (VfioUserFabric fabric = connect();
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            long address = device.bar(0).pciAddress();
            device.reset();
            ConfigSpace config = device.config();
            long low = Integer.toUnsignedLong(config.load32(ConfigSpace.BAR0)) & ~0xfL;
            long high = Integer.toUnsignedLong(config.load32(ConfigSpace.BAR0 + 4));
            assertThat(high << 32 | low).isEqualTo(address).isNotZero();
            assertThat(config.load16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_MEMORY).isNotZero();
        }
    }

    @Test
    void controllerIsShutDownBeforeTheConnectionEnds() {
        drive(SpdkLikeServerTest::writeAndRead);
        assertThat(server.shutdownSeen()).isTrue();
        assertThat(server.mappings()).isZero();
    }

    @Test
    void driveWithoutACmbSaysSoAndCopiesThroughHostMemoryOnlyIfAsked() {
        drive(controller -> {
            assertThat(controller.cmb()).isEmpty();
            assertThat(controller.cmbAbsence().orElseThrow()).isNotEmpty();
        });
        try (SpdkLikeServer other = new SpdkLikeServer(folder.resolve("other"))) {
            server.controller().medium(1, data(SpdkLikeServer.DRIVE_BYTES, 3));
            VfioUserFabric fabric =
                    VfioUserFabric.open(
                            List.of(folder, folder.resolve("other")),
                            new BothClocks(server, other),
                            TIMEOUT_NANOS);
            Receipt receipt;
            try (Session session = Session.of(fabric)) {
                Extent source = Extent.parse(fabric.locators().get(0));
                Extent target = Extent.parse(fabric.locators().get(1));
                PeerlaneException e =
                        catchThrowableOfType(
                                PeerlaneException.class,
                                () ->
                                        session.copy(
                                                source,
                                                target,
                                                CopyOptions.DEFAULTS.withBuffer(
                                                        BufferChoice.TARGET)));
                assertThat(e.getMessage()).contains("CMB");
                receipt =
                        session.copy(
                                source, target, CopyOptions.DEFAULTS.withBuffer(BufferChoice.HOST));
            }
            assertThat(receipt.buffer().kind()).isEqualTo("host");
            assertThat(other.controller().medium(1)).isEqualTo(data(SpdkLikeServer.DRIVE_BYTES, 3));
        }
    }

    /** A clock that runs two servers on one thread. */
    private static final class BothClocks extends dev.peerlane.hal.Clock {
        private final SpdkLikeServer one;
        private final SpdkLikeServer other;

        BothClocks(SpdkLikeServer one, SpdkLikeServer other) {
            this.one = one;
            this.other = other;
        }

        @Override
        public long nanoTime() {
            return one.clock.nanoTime();
        }

        @Override
        public void turn() {
            one.clock.turn();
            other.clock.turn();
        }
    }

    @Test
    void theClientWaitsThirtySecondsForAServerOnABusyMachine() {
        long second = 1_000_000_000L;
        server.busyUntilNanos = 20 * second;
        try (VfioUserFabric fabric =
                        VfioUserFabric.open(
                                List.of(folder), server.clock, VfioUserFabric.TIMEOUT_NANOS);
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            server.busyUntilNanos = server.clock.nanoTime() + 20 * second;
            assertThat(device.bar(0).load32(8)).isEqualTo(0x0001_0400);
            server.busyUntilNanos = server.clock.nanoTime() + 40 * second;
            assertThatThrownBy(() -> device.bar(0).load32(8))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("has not answered request 9 in 30000 ms");
        }
    }
}
