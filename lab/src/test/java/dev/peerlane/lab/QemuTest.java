package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.qtest.QtestFabric;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests the harness itself. */
class QemuTest {
    @Test
    void missingProgramNamesThePackage() {
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> Qemu.machine().binary("/nonexistent/qemu").start())
                .satisfies(e -> assertThat(e.code()).isEqualTo("qemu-not-started"))
                .satisfies(e -> assertThat(e.getMessage()).contains("/nonexistent/qemu"))
                .satisfies(e -> assertThat(e.remedy()).contains("qemu-system-x86"));
    }

    @Test
    @Tag("qemu")
    void theMessageHasTheErrorsOfQemu() {
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> Qemu.machine().drive(Drive.named("a").blockBytes(500)).start())
                .satisfies(e -> assertThat(e.getMessage()).contains("logical_block_size"));
    }

    @Test
    @Tag("qemu")
    void closingEndsTheProcessAndDeletesItsFiles() {
        Path directory;
        try (Qemu qemu = Qemu.machine().drive(Drive.named("a")).start()) {
            directory = qemu.socket().getParent();
            assertThat(qemu.image("a")).hasSize(16L << 20);
            assertThat(qemu.ram()).hasSize(256L << 20);
            qemu.attach().close();
            assertThat(qemu.errors()).isEmpty();
        }
        assertThat(Files.exists(directory)).isFalse();
    }

    @Test
    @Tag("qemu")
    void deathOfQemuIsATypedErrorAndClosingStillWorks() {
        Qemu qemu = Qemu.machine().iommu(39).drive(Drive.named("a").cmbMib(1)).start();
        QtestFabric fabric = qemu.attach();
        PciDevice device = fabric.open(fabric.locators().getFirst());
        DmaBuffer buffer = fabric.dma().allocate(4096);
        Bar registers = device.bar(0);
        qemu.close();
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> registers.load32(8))
                .satisfies(e -> assertThat(e.code()).isEqualTo("qtest-closed"))
                .satisfies(e -> assertThat(e.getMessage()).contains(qemu.socket().toString()));
        buffer.close();
        device.close();
        fabric.close();
    }

    @Test
    @Tag("qemu")
    void fabricOfADeadQemuClosesAtOnce() {
        Qemu qemu = Qemu.machine().iommu(39).drive(Drive.named("a")).start();
        QtestFabric fabric = qemu.attach();
        fabric.open(fabric.locators().getFirst());
        qemu.close();
        fabric.close();
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(qemu::attach)
                .satisfies(e -> assertThat(e.code()).isEqualTo("qtest-unreachable"));
    }

    @Test
    @Tag("qemu")
    void everyKindOfDriveStarts() {
        try (Qemu qemu =
                        Qemu.machine()
                                .ramMib(64)
                                .drive(
                                        Drive.named("a")
                                                .sizeMib(8)
                                                .blockBytes(4096)
                                                .readError(3)
                                                .writeError(5)
                                                .readError(9)
                                                .iops(1000)
                                                .maxTransferExponent(3)
                                                .cmbMib(2)
                                                .pmrMib(4))
                                .start();
                QtestFabric fabric = qemu.attach();
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            assertThat(device.bar(2).sizeBytes()).isEqualTo(2 << 20);
            assertThat(device.bar(4).sizeBytes()).isEqualTo(4 << 20);
        }
    }
}
