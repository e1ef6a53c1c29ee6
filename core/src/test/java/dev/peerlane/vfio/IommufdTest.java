package dev.peerlane.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.linux.Errno;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests what is different with iommufd and the devices' own nodes. */
class IommufdTest {
    @TempDir private Path directory;
    private FakeMachine machine;
    private FakeKernel kernel;

    @BeforeEach
    void machine() {
        machine = new FakeMachine(directory).withIommufd();
        kernel = machine.kernel;
    }

    @AfterEach
    void nothingStaysAndNothingWasDoneWrong() {
        assertThat(kernel.leaks()).isEmpty();
        assertThat(kernel.violations).isEmpty();
    }

    private VfioFabric open() {
        machine.options = machine.options.withApi(VfioOptions.Api.IOMMUFD);
        return machine.open();
    }

    private static void assertRefused(ThrowingCallable call, String code, String... words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(code);
                            assertThat(e.explain()).contains(List.of(words));
                        });
    }

    @Test
    void aPeersMemoryIsMappedByItsDmaBufAtItsOwnAddress() {
        try (VfioFabric fabric = open()) {
            assertThat(fabric.api()).isEqualTo("/dev/iommu");
            VfioDevice device = fabric.openDevice("0000:02:00.0");
            int files = kernel.open.size();
            PeerMapping mapping = fabric.dma().mapPeer(device, device.bar(2), 4096, 8192);
            assertThat(mapping.busAddress()).isEqualTo(FakeMachine.B_CMB + 4096);
            assertThat(kernel.open).as("the dma-buf's descriptor is closed").hasSize(files);
            assertThat(kernel.calls)
                    .containsSubsequence(
                            "VFIO_DEVICE_BIND_IOMMUFD",
                            "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
                            "VFIO_DEVICE_FEATURE",
                            "IOMMU_IOAS_MAP_FILE",
                            "close");
            mapping.close();
            assertThat(kernel.space().mappings).isEmpty();
        }
    }

    @Test
    void aResetRevokesTheMappingWhichIsMadeAgainAtTheSameAddress() {
        List<String> wires = new ArrayList<>();
        kernel.wiring =
                new FakeIoSpace.Wiring() {
                    @Override
                    public Runnable host(long iova, java.lang.foreign.MemorySegment memory) {
                        return () -> {};
                    }

                    @Override
                    public Runnable bar(
                            long iova, FakeDevice device, int bar, long offset, long bytes) {
                        String wire =
                                "%x %s %d %x %x".formatted(iova, device.bdf, bar, offset, bytes);
                        wires.add(wire);
                        return () -> wires.remove(wire);
                    }
                };
        try (VfioFabric fabric = open()) {
            VfioDevice device = fabric.openDevice("0000:02:00.0");
            fabric.dma().mapPeer(device, device.bar(2), 4096, 8192);
            String wire = "4001001000 0000:02:00.0 2 1000 2000";
            assertThat(wires).containsExactly(wire);
            kernel.calls.clear();
            device.reset();
            assertThat(wires).containsExactly(wire);
            assertThat(kernel.calls)
                    .containsSubsequence(
                            "IOMMU_IOAS_UNMAP",
                            "VFIO_DEVICE_RESET",
                            "VFIO_DEVICE_FEATURE",
                            "IOMMU_IOAS_MAP_FILE");
        }
        assertThat(wires).isEmpty();
    }

    @Test
    void aContainerNeedsNoSecondMappingAfterAReset() {
        machine.options = machine.options.withApi(VfioOptions.Api.CONTAINER);
        try (VfioFabric fabric = machine.open()) {
            VfioDevice device = fabric.openDevice("0000:02:00.0");
            fabric.dma().mapPeer(device, device.bar(2), 0, 4096);
            kernel.calls.clear();
            device.reset();
            assertThat(kernel.calls).doesNotContain("VFIO_IOMMU_MAP_DMA", "VFIO_IOMMU_UNMAP_DMA");
            assertThat(kernel.space().mappings).hasSize(1);
        }
    }

    @Test
    void aKernelWithoutDmaBufsOfDevicesIsRefusedWithTheVersionThatHasThem() {
        kernel.dmaBufs = false;
        try (VfioFabric fabric = open()) {
            VfioDevice device = fabric.openDevice("0000:02:00.0");
            assertRefused(
                    () -> fabric.dma().mapPeer(device, device.bar(2), 0, 4096),
                    "no-dma-buf",
                    "6.19",
                    "CONFIG_VFIO_PCI_DMABUF",
                    "ENOTTY");
            fabric.dma().allocate(4096);
        }
    }

    @Test
    void mappingAtAnAddressInUseClosesTheDmaBuf() {
        try (VfioFabric fabric = open()) {
            VfioDevice device = fabric.openDevice("0000:02:00.0");
            device.bar(2);
            kernel.space().ranges = List.of(new Span(0, 0xffff_ffffL));
            int files = kernel.open.size();
            assertRefused(
                    () -> fabric.dma().mapPeer(device, device.bar(2), 0, 4096),
                    "peer-not-mapped",
                    "EINVAL");
            assertThat(kernel.open).hasSize(files);
            assertThat(kernel.space().mappings).isEmpty();
        }
    }

    @Test
    void theRangesAreReadASecondTimeIfThereAreMany() {
        List<Span> many = new ArrayList<>();
        for (long i = 0; i < 100; i++) {
            many.add(new Span(i << 32, (i << 32) + 0x7fff_ffffL));
        }
        kernel.ranges = many;
        try (VfioFabric fabric = open()) {
            assertThat(kernel.calls)
                    .containsSubsequence("IOMMU_IOAS_IOVA_RANGES", "IOMMU_IOAS_IOVA_RANGES");
            assertThat(fabric.dma().allocate(4096).busAddress()).isEqualTo(1L << 32);
        }
    }

    @Test
    void iommufdIsUsedWhereContainersAreEmulatedOrMissing() {
        kernel.compatibility = true;
        try (VfioFabric fabric = machine.open()) {
            assertThat(fabric.api()).isEqualTo("/dev/iommu");
        }
        kernel.compatibility = false;
        try (VfioFabric fabric = machine.open()) {
            assertThat(fabric.api()).isEqualTo("/dev/vfio/vfio");
        }
        kernel.containers = false;
        try (VfioFabric fabric = machine.open()) {
            assertThat(fabric.api()).isEqualTo("/dev/iommu");
        }
    }

    @Test
    void aDeviceCanBeClosedAndOpenedAgain() {
        try (VfioFabric fabric = open()) {
            VfioDevice device = fabric.openDevice("0000:02:00.0");
            fabric.dma().mapPeer(device, device.bar(2), 0, 4096);
            device.close();
            VfioDevice again = fabric.openDevice("0000:02:00.0");
            fabric.dma().mapPeer(again, again.bar(2), 0, 4096);
        }
    }

    @Test
    void aKernelWithoutIommufdIsRefusedWithTheOptionThatAddsIt() {
        kernel.iommufd = false;
        assertRefused(this::open, "no-iommufd", "CONFIG_IOMMUFD", "ENOENT");
        kernel.failAt(1, Errno.EACCES);
        assertRefused(this::open, "no-iommufd", "Run as root");
    }

    @Test
    void aDeviceWithoutANodeOfItsOwnIsRefused() throws Exception {
        kernel.iommufd = true;
        Path node = machine.sysfs.place(FakeMachine.B).resolve("vfio-dev/vfio1");
        java.nio.file.Files.delete(node.resolve("dev"));
        java.nio.file.Files.delete(node);
        assertRefused(this::open, "no-device-node", "0000:02:00.0", "CONFIG_VFIO_DEVICE_CDEV");
    }
}
