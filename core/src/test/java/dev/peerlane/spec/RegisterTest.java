package dev.peerlane.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cmbebs;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Cmbsts;
import dev.peerlane.spec.wire.Cmbswtp;
import dev.peerlane.spec.wire.Cmbsz;
import dev.peerlane.spec.wire.Crto;
import dev.peerlane.spec.wire.Csts;
import dev.peerlane.spec.wire.Pmrcap;
import dev.peerlane.spec.wire.Pmrctl;
import dev.peerlane.spec.wire.Pmrebs;
import dev.peerlane.spec.wire.Pmrmsc;
import dev.peerlane.spec.wire.Pmrsts;
import dev.peerlane.spec.wire.Pmrswtp;
import dev.peerlane.spec.wire.Reg;
import org.junit.jupiter.api.Test;

final class RegisterTest {
    @Test
    void offsetsAreThoseOfTheSpecification() {
        assertThat(Reg.VS).isEqualTo(0x08);
        assertThat(Reg.INTMS).isEqualTo(0x0C);
        assertThat(Reg.INTMC).isEqualTo(0x10);
        assertThat(Reg.CC).isEqualTo(0x14);
        assertThat(Reg.CSTS).isEqualTo(0x1C);
        assertThat(Reg.AQA).isEqualTo(0x24);
        assertThat(Reg.ASQ).isEqualTo(0x28);
        assertThat(Reg.ACQ).isEqualTo(0x30);
        assertThat(Reg.CMBLOC).isEqualTo(0x38);
        assertThat(Reg.CMBSZ).isEqualTo(0x3C);
        assertThat(Reg.CMBMSC).isEqualTo(0x50);
        assertThat(Reg.CMBSTS).isEqualTo(0x58);
        assertThat(Reg.CMBEBS).isEqualTo(0x5C);
        assertThat(Reg.CMBSWTP).isEqualTo(0x60);
        assertThat(Reg.CRTO).isEqualTo(0x68);
        assertThat(Reg.PMRCAP).isEqualTo(0xE00);
        assertThat(Reg.PMRMSCL).isEqualTo(0xE14);
        assertThat(Reg.PMRMSCU).isEqualTo(0xE18);
    }

    @Test
    void doorbellsFollowTheStride() {
        assertThat(Reg.sqTailDoorbell(0, 0)).isEqualTo(0x1000);
        assertThat(Reg.cqHeadDoorbell(0, 0)).isEqualTo(0x1004);
        assertThat(Reg.sqTailDoorbell(1, 0)).isEqualTo(0x1008);
        assertThat(Reg.cqHeadDoorbell(1, 0)).isEqualTo(0x100C);
        assertThat(Reg.sqTailDoorbell(3, 2)).isEqualTo(0x1000 + 6 * 16);
        assertThat(Reg.cqHeadDoorbell(3, 2)).isEqualTo(0x1000 + 7 * 16);
    }

    @Test
    void doorbellBeyondAnIntIsRefusedNotWrapped() {
        assertThatThrownBy(() -> Reg.sqTailDoorbell(65_535, 15))
                .isInstanceOf(ArithmeticException.class);
    }

    @Test
    void capIsDecodedIntoItsFields() {
        // MQES 2047, CQR, TO 15, CSS NVM and none, MPSMAX 4, CMBS.
        Cap cap = new Cap(0x0240_1020_0F01_07FFL);
        assertThat(cap.mqesZ()).isEqualTo(2047);
        assertThat(cap.maxQueueEntries()).isEqualTo(2048);
        assertThat(cap.cqr()).isTrue();
        assertThat(cap.timeoutMillis()).isEqualTo(7500);
        assertThat(cap.doorbellStrideBytes()).isEqualTo(4);
        assertThat(cap.css()).isEqualTo(Cap.CSS_NVM | Cap.CSS_NO_IO);
        assertThat(cap.minPageBytes()).isEqualTo(4096);
        assertThat(cap.maxPageBytes()).isEqualTo(65_536);
        assertThat(cap.cmbs()).isTrue();
        assertThat(cap.pmrs()).isFalse();
    }

    @Test
    void capComposesWhatItDecodes() {
        Cap cap =
                new Cap(0)
                        .withMqesZ(2047)
                        .withCqr(true)
                        .withTo(15)
                        .withCss(Cap.CSS_NVM | Cap.CSS_NO_IO)
                        .withMpsmax(4)
                        .withCmbs(true);
        assertThat(cap.raw()).isEqualTo(0x0240_1020_0F01_07FFL);
        assertThat(cap.withAms(3).withDstrd(2).withNssrs(true).withMpsmin(1).withPmrs(true))
                .isEqualTo(new Cap(0x0341_1032_0F07_07FFL));
    }

    @Test
    void ccOfAnEnabledNvmControllerIs460001h() {
        Cc cc = new Cc(0).withIocqes(Cc.IOCQES_NVM).withIosqes(Cc.IOSQES_NVM).withEn(true);
        assertThat(cc.raw()).isEqualTo(0x0046_0001);
        assertThat(cc.pageBytes()).isEqualTo(4096);
        assertThat(cc.withMps(1).withShn(Cc.SHN_NORMAL).withCss(Cc.CSS_ALL).raw())
                .isEqualTo(0x0046_40E1);
    }

    @Test
    void valueThatDoesNotFitItsFieldIsRefused() {
        assertThatThrownBy(() -> new Cc(0).withMps(16))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Cmbsz(0).withSz(1 << 20))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Aqa.of(0, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Aqa.of(2, 4097)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aqaIsZeroBased() {
        Aqa aqa = Aqa.of(32, 64);
        assertThat(aqa.raw()).isEqualTo(0x003F_001F);
        assertThat(aqa.submissionEntries()).isEqualTo(32);
        assertThat(aqa.completionEntries()).isEqualTo(64);
        assertThat(Aqa.of(Aqa.MAX_ENTRIES, Aqa.MAX_ENTRIES).raw()).isEqualTo(0x0FFF_0FFF);
    }

    @Test
    void versionReadsInDotsAndCompares() {
        Vs version = new Vs(0x0001_0400);
        assertThat(version).hasToString("1.4.0").isEqualTo(Vs.of(1, 4, 0));
        assertThat(version.isAtLeast(1, 4)).isTrue();
        assertThat(version.isAtLeast(1, 3)).isTrue();
        assertThat(version.isAtLeast(2, 0)).isFalse();
        assertThat(Vs.of(2, 0, 0).isAtLeast(1, 4)).isTrue();
    }

    @Test
    void removedDeviceReadsAsAllOnes() {
        assertThat(new Csts(0xFFFF_FFFF).isGone()).isTrue();
        assertThat(new Csts(1).isGone()).isFalse();
    }

    @Test
    void qemusCmbOf64MiBIsDecoded() {
        Cmbloc cmbloc = new Cmbloc(0x0000_0062);
        Cmbsz cmbsz = new Cmbsz(0x0004_021D);
        assertThat(cmbloc.bir()).isEqualTo(2);
        assertThat(cmbloc.cdpmls()).isTrue();
        assertThat(cmbloc.cdpcils()).isTrue();
        assertThat(cmbloc.cdmmms()).isFalse();
        assertThat(cmbloc.offsetBytes(cmbsz)).isZero();
        assertThat(cmbsz.sqs()).isTrue();
        assertThat(cmbsz.cqs()).isFalse();
        assertThat(cmbsz.lists()).isTrue();
        assertThat(cmbsz.rds()).isTrue();
        assertThat(cmbsz.wds()).isTrue();
        assertThat(cmbsz.unitBytes()).isEqualTo(1 << 20);
        assertThat(cmbsz.sz()).isEqualTo(64);
        assertThat(cmbsz.sizeBytes()).isEqualTo(64L << 20);
    }

    @Test
    void cmbSizeIsUnitTimesSz() {
        long[] units = {4L << 10, 64L << 10, 1L << 20, 16L << 20, 256L << 20, 4L << 30, 64L << 30};
        for (int szu = 0; szu < units.length; szu++) {
            Cmbsz cmbsz = new Cmbsz(0).withSzu(szu).withSz(0xFFFFF);
            assertThat(cmbsz.unitBytes()).isEqualTo(units[szu]);
            assertThat(cmbsz.sizeBytes()).isEqualTo(0xFFFFFL * units[szu]);
            assertThat(new Cmbloc(0).withOfst(0xFFFFF).offsetBytes(cmbsz))
                    .isEqualTo(0xFFFFFL * units[szu]);
        }
    }

    @Test
    void cmbOfAReservedUnitHasNoSize() {
        assertThat(new Cmbsz(0xFFFF_FFFF).unitBytes()).isZero();
        assertThat(new Cmbsz(0).withSzu(7).withSz(1).sizeBytes()).isZero();
        assertThat(new Cmbloc(-1).offsetBytes(new Cmbsz(-1))).isZero();
    }

    @Test
    void cmbmscHalvesJoinToItsAddress() {
        Cmbmsc cmbmsc = new Cmbmsc(0).withBaseAddress(0xFEDC_BA98_7654_3000L);
        Cmbmsc enabled = cmbmsc.withCre(true).withCmse(true);
        assertThat(enabled.raw()).isEqualTo(0xFEDC_BA98_7654_3003L);
        assertThat(enabled.baseAddress()).isEqualTo(0xFEDC_BA98_7654_3000L);
        assertThat(enabled.lowerHalf()).isEqualTo(0x7654_3003);
        assertThat(enabled.upperHalf()).isEqualTo(0xFEDC_BA98);
        assertThatThrownBy(() -> cmbmsc.withBaseAddress(0x1800))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1800h");
    }

    @Test
    void pmrmscHalvesJoinToItsAddress() {
        Pmrmsc pmrmsc = Pmrmsc.of(0x8000_1002, 0x12);
        assertThat(pmrmsc.raw()).isEqualTo(0x12_8000_1002L);
        assertThat(pmrmsc.baseAddress()).isEqualTo(0x12_8000_1000L);
        assertThat(pmrmsc.cmse()).isTrue();
        assertThat(new Pmrmsc(0).withCmse(true).withBaseAddress(0x12_8000_1000L)).isEqualTo(pmrmsc);
        assertThat(pmrmsc.lowerHalf()).isEqualTo(0x8000_1002);
        assertThat(pmrmsc.upperHalf()).isEqualTo(0x12);
    }

    @Test
    void elasticityAndThroughputScaleByTheirUnits() {
        long[] units = {1, 1L << 10, 1L << 20, 1L << 30};
        for (int unit = 0; unit < units.length; unit++) {
            assertThat(Cmbebs.of(unit, true, 3).sizeBytes()).isEqualTo(3 * units[unit]);
            assertThat(Pmrebs.of(unit, true, 3).sizeBytes()).isEqualTo(3 * units[unit]);
            assertThat(Cmbswtp.of(unit, 5).bytesPerSecond()).isEqualTo(5 * units[unit]);
            assertThat(Pmrswtp.of(unit, 5).bytesPerSecond()).isEqualTo(5 * units[unit]);
        }
        assertThat(Cmbebs.of(4, false, 1).sizeBytes()).isZero();
        assertThat(Cmbebs.of(2, true, 0x10).raw()).isEqualTo(0x0000_1012);
        assertThat(Cmbswtp.of(2, 0x10).raw()).isEqualTo(0x0000_1002);
    }

    @Test
    void bytesAreComposedInTheLargestUnitThatDividesThem() {
        for (long bytes : new long[] {0, 1, 1023, 3 << 10, 5L << 20, 7L << 30, 0xff_ffffL << 30}) {
            assertThat(Cmbebs.ofBytes(bytes, false).sizeBytes()).isEqualTo(bytes);
            assertThat(Cmbswtp.ofBytes(bytes).bytesPerSecond()).isEqualTo(bytes);
        }
        assertThat(Cmbebs.ofBytes(3 << 10, true)).isEqualTo(Cmbebs.of(1, true, 3));
        assertThat(Cmbebs.ofBytes(0, false).raw()).isZero();
        for (long bytes : new long[] {-1, 0x100_0001L, 0x100_0000L << 30}) {
            assertThatThrownBy(() -> Cmbswtp.ofBytes(bytes))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void timeoutsAreInTheirUnits() {
        Crto crto = Crto.of(4, 2);
        assertThat(crto.raw()).isEqualTo(0x0002_0004);
        assertThat(crto.withMediaTimeoutMillis()).isEqualTo(2000);
        assertThat(crto.independentTimeoutMillis()).isEqualTo(1000);
        assertThat(new Pmrcap(0).withPmrto(3).timeoutMillis()).isEqualTo(1500);
        assertThat(new Pmrcap(0).withPmrtu(1).withPmrto(3).timeoutMillis()).isEqualTo(180_000);
    }

    @Test
    void everySetterWritesItsOwnBitsOnly() {
        assertThat(new Csts(0).withRdy(true).withCfs(true).withShst(2).withNssro(true).withPp(true))
                .isEqualTo(new Csts(0b11_1011));
        assertThat(new Cc(0).withAms(7).withCrime(true)).isEqualTo(new Cc(0x0100_3800));
        assertThat(new Cap(0).withCrms(3)).isEqualTo(new Cap(0x1800_0000_0000_0000L));
        Cmbloc cmbloc = new Cmbloc(0).withBir(4).withCqmms(true).withCdpmls(true).withCdmmms(true);
        assertThat(cmbloc.raw()).isEqualTo(0xAC);
        assertThat(new Cmbloc(0).withCqpds(true).withCdpcils(true).withCqda(true).withOfst(1))
                .isEqualTo(new Cmbloc(0x1150));
        Cmbsz cmbsz = new Cmbsz(0).withSqs(true).withLists(true).withRds(true).withWds(true);
        assertThat(cmbsz.withSzu(2).withSz(64).raw()).isEqualTo(0x0004_021D);
        assertThat(new Cmbsz(0).withCqs(true).raw()).isEqualTo(2);
        assertThat(new Cmbsts(0).withCbai(true).raw()).isEqualTo(1);
        assertThat(
                        new Pmrcap(0)
                                .withRds(true)
                                .withWds(true)
                                .withBir(4)
                                .withPmrwbm(2)
                                .withCmss(true))
                .isEqualTo(new Pmrcap(0x0100_0898));
        assertThat(new Pmrctl(0).withEn(true).raw()).isEqualTo(1);
        assertThat(new Pmrsts(0).withErr(1).withNrdy(true).withHsts(3).withCbai(true).raw())
                .isEqualTo(0x1701);
    }
}
