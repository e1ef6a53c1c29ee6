package dev.peerlane.lab;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.PciFunction.Kind;
import dev.peerlane.pci.Route;
import dev.peerlane.qtest.QtestFabric;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Tests a fabric of two drives behind a switch and one on a root port, attached anew for each test.
 */
@Tag("qemu")
class QtestFabricTest {
    @AutoClose private static Qemu qemu;
    private QtestFabric fabric;

    @BeforeAll
    static void start() {
        qemu =
                Qemu.machine()
                        .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(64))
                        .drive(Drive.named("ssd1").behindSwitch("sw"))
                        .drive(Drive.named("ssd2").cmbMib(16).pmrMib(16))
                        .start();
    }

    @BeforeEach
    void attach() {
        fabric = qemu.attach();
    }

    @AfterEach
    void detach() {
        fabric.close();
    }

    @Test
    void findsEveryControllerUnderItsLocator() {
        assertThat(fabric.kind()).isEqualTo("qemu");
        assertThat(fabric.locators())
                .containsExactly("qemu:03:00.0", "qemu:04:00.0", "qemu:05:00.0");
        assertThat(fabric.traffic()).isEmpty();
        assertThat(fabric.iommu()).isEmpty();
    }

    @Test
    void snapshotHasTheTreeAsQemuMadeIt() {
        Machine machine = fabric.machine();
        assertThat(machine.nvmeFunctions())
                .extracting(PciFunction::name)
                .containsExactlyElementsOf(fabric.locators());
        assertThat(machine.bridgesAbove(Bdf.parse("03:00.0")))
                .extracting(PciFunction::kind)
                .containsExactly(Kind.SWITCH_DOWNSTREAM, Kind.SWITCH_UPSTREAM, Kind.ROOT_PORT);
        assertThat(machine.bridgesAbove(Bdf.parse("05:00.0")))
                .extracting(PciFunction::kind)
                .containsExactly(Kind.ROOT_PORT);
        assertThat(machine.bridgesAbove(Bdf.parse("04:00.0")))
                .element(1)
                .isEqualTo(machine.bridgesAbove(Bdf.parse("03:00.0")).get(1));
    }

    @Test
    void routesAcrossTheSwitchDoNotCrossTheRootAndOthersAreTrustedTo() {
        Machine machine = fabric.machine();
        Route across = Route.between(machine, Bdf.parse("03:00.0"), Bdf.parse("04:00.0"));
        assertThat(across.crossesRoot()).isFalse();
        assertThat(across.hops()).isPositive();
        Route over = Route.between(machine, Bdf.parse("03:00.0"), Bdf.parse("05:00.0"));
        assertThat(over.crossesRoot()).isTrue();
        assertThat(over.peerWrites()).isEqualTo(over.peerReads());
    }

    @Test
    void windowsOfAllFunctionsAreAlignedAndApart() {
        List<PciFunction.BarWindow> windows =
                fabric.machine().functions().stream()
                        .flatMap(f -> f.bars().stream())
                        .sorted(Comparator.comparing(PciFunction.BarWindow::address))
                        .toList();
        assertThat(windows).hasSizeGreaterThan(5);
        long end = 0;
        for (PciFunction.BarWindow window : windows) {
            assertThat(window.address() % window.sizeBytes()).isZero();
            assertThat(window.address()).isGreaterThanOrEqualTo(end);
            end = window.address() + window.sizeBytes();
        }
        PciFunction drive = fabric.machine().nvmeFunctions().getFirst();
        assertThat(drive.bars().get(0).address()).isBetween(0xc000_0000L, 0xfe00_0000L);
        assertThat(drive.bars().get(1))
                .satisfies(w -> assertThat(w.index()).isEqualTo(2))
                .satisfies(w -> assertThat(w.address()).isGreaterThanOrEqualTo(1L << 35))
                .satisfies(w -> assertThat(w.sizeBytes()).isEqualTo(64L << 20));
    }

    @Test
    void closedFabricLeavesQemuToTheNextClient() {
        List<PciFunction> before = fabric.machine().functions();
        PciDevice device = fabric.open("qemu:03:00.0");
        device.busMaster(true);
        fabric.close();
        fabric.close();
        fabric = qemu.attach();
        assertThat(fabric.machine().functions()).isEqualTo(before);
        PciDevice again = fabric.open("qemu:03:00.0");
        assertThat(again.config().load16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER)
                .isZero();
        assertThat(again.bar(0).load32(8)).isEqualTo(0x10400);
    }

    @Test
    void closingADeviceStopsItsDmaAndFreesItsName() {
        PciDevice device = fabric.open("qemu:03:00.0");
        device.busMaster(true);
        assertThatThrownBy(() -> fabric.open("qemu:03:00.0"))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("qemu:03:00.0 is open already");
        device.close();
        device.close();
        assertThat(device.config().load16(ConfigSpace.COMMAND))
                .isEqualTo(ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_INTX_DISABLE);
        assertThatThrownBy(() -> device.bar(0)).isInstanceOf(IllegalStateException.class);
        fabric.open("qemu:03:00.0").close();
    }

    @Test
    void unknownDeviceIsAnErrorThatNamesTheOthers() {
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> fabric.open("qemu:09:00.0"))
                .satisfies(e -> assertThat(e.code()).isEqualTo("no-such-device"))
                .satisfies(e -> assertThat(e.remedy()).contains("qemu:04:00.0"));
    }

    @Test
    void functionLevelResetClearsTheControllerAndKeepsItsConfiguration() {
        PciDevice device = fabric.open("qemu:03:00.0");
        device.busMaster(true);
        device.config().store16(0x3c, 0x010b); // Interrupt Line is writable, Interrupt Pin is not
        assertThat(device.config().load8(0x3c)).isEqualTo(0x0b);
        TinyAdmin admin = new TinyAdmin(fabric, device);
        assertThat(device.bar(0).load32(0x14)).as("CC").isEqualTo(0x0046_0001);
        PciFunction before = fabric.machine().function(device.bdf()).orElseThrow();

        device.reset();

        assertThat(device.bar(0).load32(0x14)).as("CC").isZero();
        assertThat(device.bar(0).load32(0x1c)).as("CSTS").isZero();
        assertThat(device.config().load16(ConfigSpace.COMMAND))
                .isEqualTo(ConfigSpace.withBusMaster(ConfigSpace.COMMAND_MEMORY, true));
        assertThat(device.config().load8(0x3c)).isEqualTo(0x0b);
        assertThat(fabric.machine().function(device.bdf())).contains(before);
        admin.close();
    }

    @Test
    void controllerReadsAndWritesAllocatedMemory() {
        PciDevice device = fabric.open("qemu:05:00.0");
        try (TinyAdmin admin = new TinyAdmin(fabric, device);
                DmaBuffer buffer = fabric.dma().allocate(4096)) {
            assertThat(admin.identify(buffer.busAddress())).isZero();
            byte[] serial = buffer.segment().asSlice(4, 20).toArray(JAVA_BYTE);
            assertThat(new String(serial, US_ASCII).strip()).isEqualTo("ssd2");
        }
    }

    @Test
    void freedMemoryIsHandedOutAgainZeroed() {
        DmaBuffer first = fabric.dma().allocate(5000);
        DmaBuffer second = fabric.dma().allocate(1);
        assertThat(first.sizeBytes()).isEqualTo(8192);
        assertThat(second.sizeBytes()).isEqualTo(4096);
        assertThat(second.busAddress()).isNotEqualTo(first.busAddress());
        assertThat(first.busAddress() % 4096).isZero();
        assertThat(first.address() % 4096).isZero();
        first.segment().fill((byte) 0x5a);
        first.close();
        first.close();
        try (DmaBuffer again = fabric.dma().allocate(8192)) {
            assertThat(again.busAddress()).isEqualTo(first.busAddress());
            assertThat(again.segment().toArray(JAVA_LONG)).containsOnly(0L);
        }
        second.close();
    }

    @Test
    void exhaustedMemoryIsATypedErrorAndNothingLeaks() {
        for (int i = 0; i < 3; i++) {
            try (DmaBuffer most = fabric.dma().allocate((256L - 16) << 20)) {
                assertThat(most.busAddress()).isEqualTo(16L << 20);
                assertThatExceptionOfType(PeerlaneException.class)
                        .isThrownBy(() -> fabric.dma().allocate(4096))
                        .satisfies(e -> assertThat(e.code()).isEqualTo("no-dma-memory"));
            }
        }
    }

    @Test
    void peerWindowIsReachedAtItsPciAddressAndMappedOnce() {
        PciDevice device = fabric.open("qemu:03:00.0");
        var cmb = device.bar(2);
        var mapping = fabric.dma().mapPeer(device, cmb, 4096, 8192);
        assertThat(mapping.busAddress()).isEqualTo(cmb.pciAddress() + 4096);
        assertThat(mapping.sizeBytes()).isEqualTo(8192);
        assertThatThrownBy(() -> fabric.dma().mapPeer(device, cmb, 8192, 4096))
                .hasMessageContaining("overlap");
        fabric.dma().mapPeer(device, cmb, 0, 4096).close();
        mapping.close();
        mapping.close();
        fabric.dma().mapPeer(device, cmb, 0, cmb.sizeBytes()).close();
        assertThatThrownBy(() -> fabric.dma().mapPeer(device, cmb, 0, cmb.sizeBytes() + 4096))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> fabric.dma().mapPeer(device, cmb, 100, 4096))
                .isInstanceOf(IllegalArgumentException.class);
        device.close();
        assertThatThrownBy(() -> fabric.dma().mapPeer(device, cmb, 0, 4096))
                .isInstanceOf(PeerlaneException.class);
    }

    @Test
    void functionsBelowAFurtherHostBridgeAreFoundEveryTime() {
        try (Qemu wide =
                Qemu.machine()
                        .drive(Drive.named("far").onHostBridge(0x80).behindSwitch("x").cmbMib(16))
                        .drive(Drive.named("near"))
                        .drive(Drive.named("farther").onHostBridge(0xc0))
                        .start()) {
            for (int i = 0; i < 2; i++) {
                try (QtestFabric all = wide.attach()) {
                    assertThat(all.locators())
                            .containsExactly("qemu:01:00.0", "qemu:83:00.0", "qemu:c1:00.0");
                    for (String locator : all.locators()) {
                        try (PciDevice device = all.open(locator)) {
                            assertThat(device.bar(0).load32(8)).isEqualTo(0x10400);
                        }
                    }
                    PciFunction top = all.machine().bridgesAbove(Bdf.parse("83:00.0")).getLast();
                    assertThat(top.bdf().bus()).isEqualTo(0x80);
                    assertThat(top.parent()).isNull();
                }
            }
        }
    }

    @Test
    void anotherFileThanTheRamIsRefused() throws Exception {
        fabric.close();
        var other = Objects.requireNonNull(qemu.ram().getParent()).resolve("other");
        java.nio.file.Files.write(other, new byte[32 << 20]);
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> QtestFabric.attach(qemu.socket(), other))
                .satisfies(e -> assertThat(e.code()).isEqualTo("qtest-ram-mismatch"));
    }
}
