package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.hal.Fabric;
import dev.peerlane.qtest.IntelIommu;
import dev.peerlane.qtest.QtestFabric;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that a copy's data stays contained: nothing outside the target's range changes, and none is
 * left in a CMB or in host memory. Also tests a copy whose host memory no device can reach.
 */
@Tag("qemu")
class CopyContainmentTest {
    private static final long WORD = 0x70_65_65_72_6c_61_6e_65L;
    private static final int MIB = 1 << 20;
    private static final int BYTES = 4 * MIB;
    private static final long OUTSIDE = 160L << 20;

    private Qemu qemu;
    private QtestFabric fabric;
    private Session session;

    private void start(boolean iommu) throws IOException {
        Qemu.Builder machine =
                Qemu.machine()
                        .ramMib(256)
                        .drive(Drive.named("source").behindSwitch("sw").cmbMib(2))
                        .drive(Drive.named("target").behindSwitch("sw").cmbMib(2))
                        .drive(Drive.named("third").cmbMib(2));
        qemu = (iommu ? machine.iommu(39) : machine).start();
        fabric = qemu.attach();
        Data.write(qemu.image("source"), 0, Data.marked(WORD, BYTES));
    }

    private Receipt copy(Fabric on, CopyOptions how) {
        session = Session.of(on);
        List<String> locators = on.locators();
        return session.copy(
                new Extent(locators.get(0), 1, 0L, (long) BYTES / 512),
                new Extent(locators.get(1), 1, 2048L, null),
                how);
    }

    private CopyOptions options(String buffer) {
        BufferChoice choice =
                switch (buffer) {
                    case "target" -> BufferChoice.TARGET;
                    case "source" -> BufferChoice.SOURCE;
                    case "third" -> BufferChoice.device(fabric.locators().get(2));
                    case "host" -> BufferChoice.HOST;
                    default -> throw new IllegalArgumentException(buffer);
                };
        // what the target carries is Read into host memory, which one of these machines refuses
        return CopyOptions.DEFAULTS.withBuffer(choice).withOverwrite(true).withSeed(42);
    }

    private void assertCopied() throws IOException {
        assertThat(Data.read(qemu.image("target"), MIB, BYTES)).isEqualTo(Data.marked(WORD, BYTES));
    }

    @AfterEach
    void stop() {
        session.close();
        qemu.close();
    }

    @Test
    void wipedHostMemoryHoldsNothingOfTheSource() throws IOException {
        start(false);
        copy(fabric, options("host"));
        assertThat(Data.count(qemu.ram(), WORD)).isZero();
        assertCopied();
    }

    @Test
    void hostMemoryThatTheIommuRefusesFailsVerificationThoughCommandsSucceed() throws IOException {
        start(true);
        IntelIommu iommu = fabric.iommu().orElseThrow();
        Fabric restricted = new OutsideFabric(fabric, qemu.ram(), OUTSIDE);
        assertThatExceptionOfType(CopyException.class)
                .isThrownBy(() -> copy(restricted, options("host")))
                .satisfies(e -> assertThat(e.code()).isEqualTo("host-data-missing"))
                .satisfies(e -> assertThat(e.remedy()).contains("IOMMU"))
                .satisfies(e -> assertThat(e.receipt().result()).isEqualTo("failed"));
        assertThat(iommu.faults().faults())
                .isNotEmpty()
                .allSatisfy(fault -> assertThat(fault.address()).isGreaterThanOrEqualTo(OUTSIDE));
        assertThat(Data.count(qemu.ram(), WORD)).isZero();
        assertThat(Data.read(qemu.image("target"), MIB, BYTES))
                .isNotEqualTo(Data.marked(WORD, BYTES));
    }

    @Test
    void sameHostMemoryWithoutAnIommuIsReached() throws IOException {
        start(false);
        Receipt receipt = copy(new OutsideFabric(fabric, qemu.ram(), OUTSIDE), options("host"));
        assertThat(receipt.result()).isEqualTo("ok");
        assertCopied();
    }

    @ParameterizedTest
    @ValueSource(strings = {"target", "source", "third"})
    void nothingButTheTargetsRangeIsWritten(String buffer) throws IOException {
        start(false);
        byte[] around = Data.random(99, 16 * MIB);
        Data.write(qemu.image("target"), 0, around);
        byte[] source = Data.read(qemu.image("source"), 0, 16 * MIB);
        copy(fabric, options(buffer));
        System.arraycopy(source, 0, around, MIB, BYTES);
        assertThat(Arrays.equals(Data.read(qemu.image("target"), 0, 16 * MIB), around)).isTrue();
        assertThat(Arrays.equals(Data.read(qemu.image("source"), 0, 16 * MIB), source)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"target", "source", "third"})
    void cmbHoldsNothingOfTheSourceAfterwards(String buffer) throws IOException {
        start(false);
        copy(fabric, options(buffer));
        int owner = List.of("source", "target", "third").indexOf(buffer);
        var bar = session.controller(fabric.locators().get(owner)).device().bar(2);
        byte[] content = new byte[2 * MIB];
        bar.load(0, java.lang.foreign.MemorySegment.ofArray(content));
        assertThat(Data.count(content, WORD)).isZero();
    }
}
