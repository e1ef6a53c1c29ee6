package dev.peerlane.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.BlockPort;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.EmulatorWiring;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.TrafficCounters.Traffic;
import dev.peerlane.hal.parts.ForwardingFabric;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.RootComplex;
import dev.peerlane.pci.RootComplex.Trust;
import dev.peerlane.pci.sysfs.SysfsWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
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
import org.junit.jupiter.params.provider.ValueSource;

/** Tests driver and copy through VFIO, on emulated drives behind a fake kernel. */
class VfioCopyTest {
    private static final int SIZE = 2 << 20;

    @TempDir private Path directory;
    private Path source;
    private Path target;
    private EmulatedFabric emulator;
    private FakeKernel kernel;
    private SysfsWriter sysfs;
    private List<Bdf> members;

    @BeforeEach
    void machine() throws IOException {
        source = directory.resolve("a.img");
        target = directory.resolve("b.img");
        byte[] data = new byte[SIZE];
        new SplittableRandom(23).nextBytes(data);
        Files.write(source, data);
        Files.write(target, new byte[SIZE]);
        machine(FabricModel.builder());
    }

    private void machine(FabricModel.Builder fabric) {
        fabric.time(FabricModel.Time.VIRTUAL).seed(5).iommu(true);
        fabric.drive(drive("a", NamespaceModel.image(source, 512)));
        fabric.drive(drive("b", NamespaceModel.image(target, 512)));
        fabric.drive(drive("c", NamespaceModel.memory(SIZE, 512)));
        emulator = new EmulatedFabric(fabric.build());
        sysfs = new SysfsWriter(directory.resolve("sys"));
        sysfs.machine(emulator.machine().functions(), emulator::config);
        kernel = new FakeKernel();
        kernel.wiring = new Wires(new EmulatorWiring(emulator));
        members = new ArrayList<>();
        for (String locator : emulator.locators()) {
            PciDevice device = emulator.open(locator);
            int group =
                    emulator.machine().functions().stream()
                            .map(f -> f.bdf())
                            .toList()
                            .indexOf(device.bdf());
            kernel.add(new EmulatedFakeDevice(device, group, new EmulatorWiring(emulator)));
            String node = "vfio-dev/vfio" + members.size() + "/dev";
            sysfs.file("bus/pci/devices/" + device.bdf() + "/" + node, "");
            members.add(device.bdf());
        }
    }

    @AfterEach
    void nothingStays() {
        assertThat(kernel.leaks()).isEmpty();
        assertThat(kernel.violations).isEmpty();
        emulator.close();
    }

    private static DriveModel drive(String name, NamespaceModel namespace) {
        return DriveModel.named(name).namespace(namespace).cmb(CmbModel.of(1 << 20)).build();
    }

    /** Gives the emulated drives access to exactly what is mapped for DMA. */
    private record Wires(EmulatorWiring wiring) implements FakeIoSpace.Wiring {
        @Override
        public Runnable host(long iova, MemorySegment memory) {
            return wiring.mapHost(iova, memory);
        }

        @Override
        public Runnable bar(long iova, FakeDevice device, int bar, long offset, long bytes) {
            return wiring.mapBar(iova, device.bdf, bar, offset, bytes);
        }
    }

    private VfioFabric open(VfioOptions.Api api) {
        kernel.iommufd = api == VfioOptions.Api.IOMMUFD;
        VfioOptions options =
                VfioOptions.DEFAULTS.withApi(api).withSystem(SystemRoot.in(directory));
        return VfioFabric.open(kernel, members, options, emulator.clock());
    }

    private Extent extent(int drive) {
        return new Extent(members.get(drive).toString(), 1, null, null);
    }

    @ParameterizedTest
    @CsvSource({
        "CONTAINER, target",
        "CONTAINER, source",
        "CONTAINER, third",
        "CONTAINER, host",
        "IOMMUFD, target",
        "IOMMUFD, third"
    })
    void aCopyGoesThroughVfioAndEveryByteIsRight(VfioOptions.Api api, String buffer)
            throws IOException {
        BufferChoice choice =
                switch (buffer) {
                    case "target" -> BufferChoice.TARGET;
                    case "source" -> BufferChoice.SOURCE;
                    case "third" -> BufferChoice.device(members.get(2).toString());
                    default -> BufferChoice.HOST;
                };
        try (Session session = Session.of(open(api))) {
            Receipt receipt =
                    session.copy(
                            extent(0),
                            extent(1),
                            CopyOptions.DEFAULTS.withOverwrite(true).withBuffer(choice));
            assertThat(receipt.result()).isEqualTo("ok");
        }
        assertThat(Files.mismatch(source, target)).as("first byte that differs").isEqualTo(-1);
        Traffic total = emulator.traffic().orElseThrow().total();
        assertThat(total.faulted()).isZero();
        if (buffer.equals("host")) {
            assertThat(total.hostData()).isPositive();
        } else {
            assertThat(total.hostData()).isZero();
            assertThat(total.peerRead() + total.peerWritten()).isGreaterThanOrEqualTo(SIZE);
        }
    }

    /** CBA has to be the new address too, or the target would not recognise it as its own CMB. */
    @Test
    void aCmbBeyondTheIommuIsUsedAtAnotherAddressIfEveryBridgeRedirects() throws IOException {
        emulator.close();
        kernel.end();
        FabricModel.Builder redirecting =
                FabricModel.builder().rootComplex(Trust.TRUSTED, Trust.TRUSTED);
        for (String drive : List.of("a", "b", "c")) {
            redirecting.port(PortModel.drive(drive).withAcs(PortModel.ACS_REDIRECT));
        }
        directory = Files.createDirectory(directory.resolve("redirecting"));
        machine(redirecting);
        kernel.ranges = List.of(new Span(0, (1L << 38) - 1));
        try (Session session = Session.of(trusted(open(VfioOptions.Api.CONTAINER)))) {
            Receipt receipt =
                    session.copy(
                            extent(0),
                            extent(1),
                            CopyOptions.DEFAULTS
                                    .withOverwrite(true)
                                    .withBuffer(BufferChoice.TARGET));
            assertThat(receipt.result()).isEqualTo("ok");
            long address = Long.decode(receipt.buffer().address());
            assertThat(address).isPositive().isLessThan(1L << 38);
        }
        assertThat(Files.mismatch(source, target)).isEqualTo(-1);
        Traffic total = emulator.traffic().orElseThrow().total();
        assertThat(total.hostData()).isZero();
        assertThat(total.peerWritten()).isGreaterThanOrEqualTo(SIZE);
    }

    /** Returns the same fabric on a machine whose root complex forwards peer traffic. */
    private static Fabric trusted(Fabric fabric) {
        return new ForwardingFabric(fabric) {
            @Override
            public Machine machine() {
                return new Machine(
                        super.machine().functions(),
                        new RootComplex(Trust.TRUSTED, Trust.TRUSTED, "a test says so"));
            }
        };
    }

    @Test
    void aControllerResetMapsTheCmbAgain() throws IOException {
        try (Session session = Session.of(open(VfioOptions.Api.IOMMUFD))) {
            CopyOptions how = CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET);
            session.copy(extent(0), extent(1), how);
            session.controller(members.get(1).toString()).device().reset();
            session.controller(members.get(1).toString()).reset();
            Files.write(target, new byte[SIZE]);
        }
        try (Session session = Session.of(open(VfioOptions.Api.IOMMUFD))) {
            session.copy(
                    extent(0), extent(1), CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET));
        }
        assertThat(Files.mismatch(source, target)).isEqualTo(-1);
    }

    @ParameterizedTest
    @CsvSource({"CONTAINER", "IOMMUFD"})
    void nothingStaysOpenOrMappedWhicheverCallOfACopyFails(VfioOptions.Api api) {
        // pread and pwrite access registers here, and the driver's own sweeps make those fail
        kernel.counted = call -> !call.equals("pread") && !call.equals("pwrite");
        int k = 1;
        for (; k < 300; k++) {
            kernel.failAt(k, Errno.EIO);
            String code = "";
            Extent all = extent(0);
            try (Session session = Session.of(open(api))) {
                Receipt receipt =
                        session.copy(
                                new Extent(all.device(), 1, 0L, 64L),
                                new Extent(extent(1).device(), 1, 0L, 64L),
                                CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET));
                assertThat(receipt.result()).isEqualTo("ok");
            } catch (PeerlaneException e) {
                code = e.code();
            }
            int excused = "munmap".equals(kernel.failedCall) && kernel.failedSite != null ? 1 : 0;
            assertThat(kernel.leaks())
                    .as("call %d: %s, %s", k, kernel.failedSite, code)
                    .hasSize(excused);
            kernel.memory.clear();
            kernel.open.clear();
            if (kernel.failedSite == null) {
                assertThat(code).isEmpty();
                break;
            }
        }
        assertThat(k).as("calls of a copy").isBetween(30, 299);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void unpluggingADriveDuringACopyIsATypedFaultThatNamesBothEnds(int drive) {
        FakeDevice device = kernel.devices.get(members.get(drive).toString());
        CopyException e = interrupted(() -> device.gone = true);
        assertFaultOf(drive, e, "is gone: its configuration space reads as all ones");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void memoryDecodingTurnedOffDuringACopyIsATypedFaultThatNamesBothEnds(int drive) {
        ConfigSpace config = emulator.config(members.get(drive));
        CopyException e = interrupted(() -> config.store16(ConfigSpace.COMMAND, 0));
        assertFaultOf(drive, e, "does not answer: CSTS reads FFFFFFFFh");
    }

    private void assertFaultOf(int drive, CopyException e, String lost) {
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
        Receipt.Failure error = e.receipt().error();
        assertThat(List.of(error.sourceCondition(), error.targetCondition()))
                .isEqualTo(
                        drive == 0
                                ? List.of(lost, BlockPort.READY)
                                : List.of(BlockPort.READY, lost));
        assertThat(e)
                .hasMessageContaining("; the source, " + members.get(0))
                .hasMessageContaining("; the target, " + members.get(1));
    }

    /** Copies with a clock that runs an event after some turns. */
    private CopyException interrupted(Runnable event) {
        var clock =
                new Clock() {
                    private long turns;

                    @Override
                    public long nanoTime() {
                        return emulator.clock().nanoTime();
                    }

                    @Override
                    public void turn() {
                        long sent = emulator.traffic().orElseThrow().total().peerWritten();
                        if (sent > SIZE / 4 && turns++ == 0) {
                            event.run();
                        }
                        emulator.clock().turn();
                    }
                };
        VfioOptions options = VfioOptions.DEFAULTS.withSystem(SystemRoot.in(directory));
        VfioFabric fabric = VfioFabric.open(kernel, members, options, clock);
        try (Session session = Session.of(fabric)) {
            return catchThrowableOfType(
                    CopyException.class,
                    () ->
                            session.copy(
                                    extent(0),
                                    extent(1),
                                    CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET)));
        }
    }
}
