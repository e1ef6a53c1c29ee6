package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.Direction;
import dev.peerlane.qtest.IntelIommu;
import dev.peerlane.qtest.IommuFault;
import dev.peerlane.qtest.QtestFabric;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that translation lets functions access only what was allocated or mapped. */
@Tag("qemu")
class IntelIommuTest {
    private static Qemu start(int addressBits) {
        return Qemu.machine()
                .iommu(addressBits)
                .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(16))
                .drive(Drive.named("ssd1").behindSwitch("sw"))
                .start();
    }

    @ParameterizedTest
    @ValueSource(ints = {39, 48})
    void allocatedMemoryIsReachedWithoutFaults(int addressBits) {
        try (Qemu qemu = start(addressBits);
                QtestFabric fabric = qemu.attach()) {
            IntelIommu iommu = fabric.iommu().orElseThrow();
            assertThat(iommu.faults().isEmpty()).isTrue();
            PciDevice device = fabric.open("qemu:03:00.0");
            try (TinyAdmin admin = new TinyAdmin(fabric, device);
                    DmaBuffer buffer = fabric.dma().allocate(4096)) {
                assertThat(admin.identify(buffer.busAddress())).isZero();
                assertThat(buffer.segment().get(java.lang.foreign.ValueLayout.JAVA_SHORT, 0))
                        .isEqualTo((short) 0x1b36);
            }
            assertThat(iommu.faults().isEmpty()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {39, 48})
    void freedMemoryFaultsWithRequesterAndAddress(int addressBits) {
        try (Qemu qemu = start(addressBits);
                QtestFabric fabric = qemu.attach()) {
            IntelIommu iommu = fabric.iommu().orElseThrow();
            PciDevice device = fabric.open("qemu:03:00.0");
            try (TinyAdmin admin = new TinyAdmin(fabric, device)) {
                DmaBuffer buffer = fabric.dma().allocate(4096);
                assertThat(admin.identify(buffer.busAddress())).isZero();
                buffer.close();
                admin.identify(buffer.busAddress());
                IntelIommu.FaultLog log = iommu.faults();
                assertThat(log.faults())
                        .containsExactly(
                                new IommuFault(
                                        device.bdf(), buffer.busAddress(), Direction.WRITE, 5));
                assertThat(iommu.faults().isEmpty()).as("cleared by the previous call").isTrue();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {39, 48})
    void peerWindowIsReachedOnlyWhileItIsMapped(int addressBits) {
        try (Qemu qemu = start(addressBits);
                QtestFabric fabric = qemu.attach()) {
            IntelIommu iommu = fabric.iommu().orElseThrow();
            PciDevice owner = fabric.open("qemu:03:00.0");
            var cmb = owner.bar(2);
            owner.bar(0).store32(0x54, (int) (cmb.pciAddress() >>> 32));
            owner.bar(0).store32(0x50, (int) cmb.pciAddress() | 3);
            PciDevice peer = fabric.open("qemu:04:00.0");
            try (TinyAdmin admin = new TinyAdmin(fabric, peer)) {
                admin.identify(cmb.pciAddress() + 4096);
                assertThat(iommu.faults().faults())
                        .containsExactly(
                                new IommuFault(
                                        peer.bdf(), cmb.pciAddress() + 4096, Direction.WRITE, 5));
                assertThat(cmb.load32(4096)).isZero();

                PeerMapping mapping = fabric.dma().mapPeer(owner, cmb, 0, cmb.sizeBytes());
                assertThat(admin.identify(cmb.pciAddress() + 4096)).isZero();
                assertThat(iommu.faults().isEmpty()).isTrue();
                assertThat(cmb.load32(4096) & 0xffff).isEqualTo(0x1b36);

                mapping.close();
                admin.identify(cmb.pciAddress());
                assertThat(iommu.faults().isEmpty()).isFalse();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = 39)
    void translationThatWasLeftOnDoesNotStopTheNextClient(int addressBits) {
        try (Qemu qemu = start(addressBits)) {
            for (int i = 0; i < 2; i++) {
                try (QtestFabric fabric = qemu.attach();
                        DmaBuffer buffer = fabric.dma().allocate(4096)) {
                    PciDevice device = fabric.open("qemu:04:00.0");
                    try (TinyAdmin admin = new TinyAdmin(fabric, device)) {
                        assertThat(admin.identify(buffer.busAddress())).isZero();
                    }
                    assertThat(fabric.iommu().orElseThrow().faults().isEmpty()).isTrue();
                }
            }
        }
    }
}
