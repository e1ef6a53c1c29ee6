package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.MIB;
import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.enableCmb;
import static dev.peerlane.emulator.TestFabrics.one;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.Cmbebs;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Cmbswtp;
import dev.peerlane.spec.wire.Cmbsz;
import dev.peerlane.spec.wire.Reg;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests the registers of the CMB, and the place of its bytes, in all versions and shapes. */
class CmbRegisterTest {
    private static final int SIZE = Reg.CMBSZ;
    private static final int PLACE = Reg.CMBLOC;

    @Test
    void in14NothingShowsUntilCapabilitiesAreEnabled() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            assertThat(driver.cap().cmbs()).isTrue();
            assertThat(driver.bar.load32(SIZE)).isZero();
            assertThat(driver.bar.load32(PLACE)).isZero();
            driver.bar.store32(Reg.CMBMSC, 1);
            Cmbsz size = new Cmbsz(driver.bar.load32(SIZE));
            assertThat(size.sizeBytes()).isEqualTo(MIB);
            assertThat(size.rds() && size.wds() && size.sqs() && size.lists()).isTrue();
            assertThat(size.cqs()).isFalse();
            assertThat(new Cmbloc(driver.bar.load32(PLACE)).bir()).isEqualTo(2);
            driver.bar.store32(Reg.CMBMSC, 0);
            assertThat(driver.bar.load32(SIZE)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = CmbModel.Version.class,
            names = {"V1_2", "V1_3"})
    void before14RegistersAlwaysShowAndTheBarAddressCounts(CmbModel.Version version) {
        CmbModel cmb = CmbModel.of(MIB).withVersion(version);
        try (EmulatedFabric fabric = one(drive("a").cmb(cmb));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            assertThat(driver.cap().cmbs()).isFalse();
            assertThat(driver.bar.load32(Reg.VS)).isEqualTo(version.vs().raw());
            assertThat(new Vs(driver.bar.load32(Reg.VS)).isAtLeast(1, 4)).isFalse();
            assertThat(new Cmbsz(driver.bar.load32(SIZE)).sizeBytes()).isEqualTo(MIB);
            assertThat(new Cmbloc(driver.bar.load32(PLACE)).bir()).isEqualTo(2);
            driver.bar.store32(Reg.CMBMSC, 3);
            assertThat(driver.bar.load32(Reg.CMBMSC)).isZero();
            assertThat(fabric.controller("a").violations()).hasSize(1);
            var queue = driver.ioQueue(1, 4);
            var bar = driver.device.bar(2);
            bar.store64(8192, 0x1122334455667788L);
            long at = bar.pciAddress() + 8192;
            assertThat(queue.io(NvmOpcode.WRITE, 5, 1, at, 0).status()).isZero();
            bar.store64(8192, 0);
            assertThat(queue.io(NvmOpcode.READ, 5, 1, at, 0).status()).isZero();
            assertThat(bar.load64(8192)).isEqualTo(0x1122334455667788L);
            assertThat(fabric.traffic().orElseThrow().total().ownMemory()).isEqualTo(1024);
        }
    }

    @Test
    void offsetIsInUnitsAndTheBytesBeforeItAreNotTheCmb() {
        CmbModel cmb = CmbModel.of(12 << 10).withPlace(4, 4096, 3, 0);
        try (EmulatedFabric fabric = one(drive("a").cmb(cmb));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            var bar = driver.device.bar(4);
            assertThat(bar.sizeBytes()).isEqualTo(32 << 10);
            enableCmb(driver, 0x100_0000L);
            Cmbsz size = new Cmbsz(driver.bar.load32(SIZE));
            Cmbloc place = new Cmbloc(driver.bar.load32(PLACE));
            assertThat(place.offsetBytes(size)).isEqualTo(12 << 10);
            assertThat(place.bir()).isEqualTo(4);
            var queue = driver.ioQueue(1, 4);
            bar.store64(12 << 10, 77);
            assertThat(queue.io(NvmOpcode.WRITE, 0, 1, 0x100_0000L, 0).status()).isZero();
            assertThat(queue.io(NvmOpcode.READ, 0, 1, 0x100_1000L, 0).status()).isZero();
            assertThat(bar.load64((12 << 10) + 4096)).isEqualTo(77);
            assertThat(queue.io(NvmOpcode.READ, 0, 1, 0x100_3000L, 0).code())
                    .as("after the CMB")
                    .isEqualTo(Status.DATA_TRANSFER_ERROR);
        }
    }

    @Test
    void cmbInBar0LiesBehindTheRegisters() {
        CmbModel cmb = CmbModel.of(64 << 10).withPlace(0, 64 << 10, 1, 0);
        try (EmulatedFabric fabric = one(drive("a").cmb(cmb));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            driver.bar.store64(64 << 10, 42);
            assertThat(driver.bar.load64(64 << 10)).isEqualTo(42);
            driver.enable();
            assertThat(driver.csts()).isEqualTo(1);
            assertThatThrownBy(() -> driver.device.bar(2)).isInstanceOf(PeerlaneException.class);
        }
        CmbModel onTop = CmbModel.of(64 << 10).withPlace(0, 4096, 1, 0);
        assertThatThrownBy(() -> one(drive("a").cmb(onTop)))
                .hasMessageContaining("on top of its registers");
    }

    @Test
    void cmbLargerThanItsBarIsCutForOthersAndWholeForItsOwner() {
        CmbModel cmb = CmbModel.of(MIB).withPlace(2, 4096, 0, 64 << 10);
        try (EmulatedFabric fabric = one(drive("a").cmb(cmb));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            var bar = driver.device.bar(2);
            assertThat(bar.sizeBytes()).isEqualTo(64 << 10);
            assertThatThrownBy(() -> bar.load64(64 << 10))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            enableCmb(driver, 0x1000_0000L);
            assertThat(new Cmbsz(driver.bar.load32(SIZE)).sizeBytes()).isEqualTo(MIB);
            var queue = driver.ioQueue(1, 4);
            assertThat(queue.io(NvmOpcode.READ, 0, 1, 0x1000_0000L + MIB - 4096, 0).status())
                    .isZero();
        }
    }

    @Test
    void smallestCmbIsOnePage() {
        try (EmulatedFabric fabric = one(drive("a").cmb(CmbModel.of(4096)));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            driver.bar.store32(Reg.CMBMSC, 1);
            assertThat(new Cmbsz(driver.bar.load32(SIZE)).sizeBytes()).isEqualTo(4096);
            assertThat(driver.device.bar(2).sizeBytes()).isEqualTo(4096);
        }
    }

    @Test
    void windowThatCannotBeServedIsReported() {
        CmbModel cmb = CmbModel.of(MIB).withAddressBits(40);
        try (EmulatedFabric fabric = one(drive("a").cmb(cmb));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            enableCmb(driver, 1L << 40);
            assertThat(driver.bar.load32(Reg.CMBSTS)).isEqualTo(1);
            driver.bar.store32(Reg.CMBMSC, 1);
            assertThat(driver.bar.load32(Reg.CMBSTS)).isZero();
            enableCmb(driver, (1L << 40) - MIB);
            assertThat(driver.bar.load32(Reg.CMBSTS)).isZero();
        }
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            driver.bar.store64(Reg.CMBMSC, -4096L | 3);
            assertThat(driver.bar.load32(Reg.CMBSTS)).as("wraps around").isEqualTo(1);
        }
    }

    @Test
    void spaceControlSurvivesAControllerReset() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            enableCmb(driver, 0x1000_0000L);
            driver.device.bar(2).store64(0, 5);
            driver.bar.store32(Reg.CC, 0);
            assertThat(driver.awaitCsts(1, 0)).isTrue();
            Cmbmsc control = new Cmbmsc(driver.bar.load64(Reg.CMBMSC));
            assertThat(control.cre() && control.cmse()).isTrue();
            assertThat(control.baseAddress()).isEqualTo(0x1000_0000L);
            assertThat(driver.device.bar(2).load64(0)).isEqualTo(5);
        }
    }

    @Test
    void movingALiveWindowIsReported() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            enableCmb(driver, 0x1000_0000L);
            assertThat(fabric.controller("a").violations()).isEmpty();
            driver.bar.store32(Reg.CMBMSC + 4, 7);
            assertThat(fabric.controller("a").violations())
                    .containsExactly("CMBMSC.CBA was changed while CMSE is 1");
        }
    }

    @Test
    void driveWithoutCmbHasNoRegistersForIt() {
        try (EmulatedFabric fabric = one(drive("a").cmb(null));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            assertThat(driver.cap().cmbs()).isFalse();
            assertThat(driver.bar.load32(SIZE)).isZero();
            assertThatThrownBy(() -> driver.device.bar(2))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("BAR 2");
        }
    }

    @Test
    void elasticityAndThroughputAreAsDescribed() {
        CmbModel cmb =
                CmbModel.of(MIB).withRates(Cmbebs.of(1, true, 64).raw(), Cmbswtp.of(2, 900).raw());
        try (EmulatedFabric fabric = one(drive("a").cmb(cmb));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            assertThat(driver.bar.load32(Reg.CMBEBS)).isEqualTo(Cmbebs.of(1, true, 64).raw());
            assertThat(driver.bar.load32(Reg.CMBSWTP)).isEqualTo(Cmbswtp.of(2, 900).raw());
            driver.bar.store32(Reg.CMBEBS, 0);
            assertThat(driver.bar.load32(Reg.CMBEBS)).as("read only").isNotZero();
        }
        assertThatThrownBy(() -> cmb.withVersion(CmbModel.Version.V1_3))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("before 1.4");
    }
}
