package dev.peerlane.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.NvmCommand;
import org.junit.jupiter.api.Test;

final class CommandTest {
    @Test
    void blockCountIsZeroBased() {
        assertThat(NvmCommand.cdw12(1)).isZero();
        assertThat(NvmCommand.cdw12(NvmCommand.MAX_BLOCKS)).isEqualTo(0xFFFF);
        assertThat(NvmCommand.cdw12(1, true)).isEqualTo(0x4000_0000);
        assertThat(NvmCommand.cdw12(1, false)).isZero();
        assertThat(NvmCommand.blocks(0xFFFF)).isEqualTo(65_536);
    }

    @Test
    void cdw12BitsMoveOneFieldEach() {
        WalkingOnes.overInt(Integer::valueOf)
                .bits("NLB", 15, 0, NvmCommand::nlbZ)
                .bit("DEAC", 25, NvmCommand::deac)
                .bits("PRINFO", 29, 26, NvmCommand::prinfo)
                .bit("FUA", 30, NvmCommand::fua)
                .bit("LR", 31, NvmCommand::lr)
                .check();
        assertThat(NvmCommand.CDW12_DEAC).isEqualTo(0x0200_0000);
        assertThat(NvmCommand.CDW12_FUA).isEqualTo(0x4000_0000);
        assertThat(NvmCommand.CDW12_LR).isEqualTo(0x8000_0000);
        assertThat(NvmCommand.withPrinfo(0, 0xF)).isEqualTo(0x3C00_0000);
    }

    @Test
    void datasetManagementCountsRangesZeroBased() {
        assertThat(NvmCommand.dsmCdw10(1)).isZero();
        assertThat(NvmCommand.dsmCdw10(256)).isEqualTo(255);
        assertThat(NvmCommand.dsmRanges(255)).isEqualTo(256);
        assertThat(NvmCommand.dsmCdw11(false, false, true)).isEqualTo(NvmCommand.DSM_DEALLOCATE);
        assertThat(NvmCommand.dsmCdw11(true, true, false)).isEqualTo(3);
        assertThat(NvmCommand.copyCdw12(128, 2)).isEqualTo(0x27F);
        assertThatThrownBy(() -> NvmCommand.dsmCdw10(257))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void queueCommandsRoundTrip() {
        int cdw10 = AdminCommand.createQueueCdw10(3, 1024);
        assertThat(cdw10).isEqualTo(0x03FF_0003);
        assertThat(AdminCommand.qid(cdw10)).isEqualTo(3);
        assertThat(AdminCommand.qsizeZ(cdw10)).isEqualTo(1023);
        assertThat(AdminCommand.createQueueCdw10(1, 65_536)).isEqualTo(0xFFFF_0001);

        int cq = AdminCommand.createCqCdw11(true, true, 5);
        assertThat(cq).isEqualTo(0x0005_0003);
        assertThat(AdminCommand.pc(cq)).isTrue();
        assertThat(AdminCommand.ien(cq)).isTrue();
        assertThat(AdminCommand.iv(cq)).isEqualTo(5);
        assertThat(AdminCommand.createCqCdw11(true, false, 0)).isEqualTo(1);

        int sq = AdminCommand.createSqCdw11(true, 2, 7);
        assertThat(sq).isEqualTo(0x0007_0005);
        assertThat(AdminCommand.qprio(sq)).isEqualTo(2);
        assertThat(AdminCommand.cqid(sq)).isEqualTo(7);
        assertThat(AdminCommand.deleteQueueCdw10(3)).isEqualTo(3);
    }

    @Test
    void identifyRoundTrips() {
        assertThat(AdminCommand.identifyCdw10(Cns.CONTROLLER, 0)).isEqualTo(1);
        assertThat(AdminCommand.identifyCdw10(Cns.CONTROLLERS, 0xABCD)).isEqualTo(0xABCD_0013);
        assertThat(AdminCommand.cns(0xABCD_0013)).isEqualTo(0x13);
        assertThat(AdminCommand.cntid(0xABCD_0013)).isEqualTo(0xABCD);
        assertThat(AdminCommand.identifyCdw11(CommandSet.ZONED)).isEqualTo(0x0200_0000);
        assertThat(AdminCommand.csi(0x0200_0000)).isEqualTo(2);
    }

    @Test
    void logPageLengthIsZeroBasedDwordsInTwoHalves() {
        int cdw10 = AdminCommand.getLogPageCdw10(LogPage.SMART, 0, false, 512);
        assertThat(cdw10).isEqualTo(0x007F_0002);
        assertThat(AdminCommand.logPageBytes(cdw10, 0)).isEqualTo(512);

        long long1 = 4L * 0x1_0001;
        int low = AdminCommand.getLogPageCdw10(1, 0x7F, true, long1);
        int high = AdminCommand.getLogPageCdw11(long1, 0xBEEF);
        assertThat(low).isEqualTo(0x0000_FF01);
        assertThat(high).isEqualTo(0xBEEF_0001);
        assertThat(AdminCommand.logPageBytes(low, high)).isEqualTo(long1);
        assertThat(AdminCommand.lid(low)).isEqualTo(1);
        assertThat(AdminCommand.lsp(low)).isEqualTo(0x7F);
        assertThat(AdminCommand.rae(low)).isTrue();
        assertThat(AdminCommand.lsi(high)).isEqualTo(0xBEEF);
        assertThat(AdminCommand.logPageBytes(-1, -1)).isEqualTo(1L << 34);

        long offset = 0x12_3456_789CL;
        assertThat(AdminCommand.getLogPageCdw12(offset)).isEqualTo(0x3456_789C);
        assertThat(AdminCommand.getLogPageCdw13(offset)).isEqualTo(0x12);
        assertThat(AdminCommand.logPageOffsetBytes(0x8000_0000, 1)).isEqualTo(0x1_8000_0000L);
    }

    @Test
    void logPageOfOddLengthIsRefused() {
        for (long bytes : new long[] {0, -4, 3, 510, (1L << 34) + 4}) {
            assertThatThrownBy(() -> AdminCommand.getLogPageCdw10(2, 0, false, bytes))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void featuresAndAbortRoundTrip() {
        int get =
                AdminCommand.getFeaturesCdw10(Feature.NUMBER_OF_QUEUES, AdminCommand.SELECT_SAVED);
        assertThat(get).isEqualTo(0x207);
        assertThat(AdminCommand.fid(get)).isEqualTo(7);
        assertThat(AdminCommand.sel(get)).isEqualTo(2);
        int set = AdminCommand.setFeaturesCdw10(Feature.VOLATILE_WRITE_CACHE, true);
        assertThat(set).isEqualTo(0x8000_0006);
        assertThat(AdminCommand.sv(set)).isTrue();
        assertThat(AdminCommand.sv(get)).isFalse();

        int abort = AdminCommand.abortCdw10(2, 0xFFFE);
        assertThat(abort).isEqualTo(0xFFFE_0002);
        assertThat(AdminCommand.abortSqid(abort)).isEqualTo(2);
        assertThat(AdminCommand.abortCid(abort)).isEqualTo(0xFFFE);
        assertThat(AdminCommand.isAborted(0)).isTrue();
        assertThat(AdminCommand.isAborted(1)).isFalse();
    }

    @Test
    void queueCountsAreZeroBasedOnTheWire() {
        int value = Feature.numberOfQueues(4, 8);
        assertThat(value).isEqualTo(0x0007_0003);
        assertThat(Feature.submissionQueues(value)).isEqualTo(4);
        assertThat(Feature.completionQueues(value)).isEqualTo(8);
        assertThat(Feature.submissionQueues(-1)).isEqualTo(65_536);
    }

    @Test
    void featureValuesRoundTrip() {
        assertThat(Feature.isWriteCacheEnabled(Feature.volatileWriteCache(true))).isTrue();
        assertThat(Feature.isWriteCacheEnabled(Feature.volatileWriteCache(false))).isFalse();
        int events = Feature.asyncEventConfig(0x1F, Feature.EVENT_NAMESPACE_ATTRIBUTE);
        assertThat(events).isEqualTo(0x11F);
        assertThat(Feature.criticalWarnings(events)).isEqualTo(0x1F);
        int recovery = Feature.errorRecovery(50, true);
        assertThat(recovery).isEqualTo(0x1_0032);
        assertThat(Feature.tler(recovery)).isEqualTo(50);
        assertThat(Feature.dulbe(recovery)).isTrue();
    }

    @Test
    void opcodesHaveTheirNumbersAndNames() {
        assertThat(NvmOpcode.name(0x00)).isEqualTo("Flush");
        assertThat(NvmOpcode.name(0x01)).isEqualTo("Write");
        assertThat(NvmOpcode.name(0x02)).isEqualTo("Read");
        assertThat(NvmOpcode.name(0x04)).isEqualTo("Write Uncorrectable");
        assertThat(NvmOpcode.name(0x05)).isEqualTo("Compare");
        assertThat(NvmOpcode.name(0x08)).isEqualTo("Write Zeroes");
        assertThat(NvmOpcode.name(0x09)).isEqualTo("Dataset Management");
        assertThat(NvmOpcode.name(0x0C)).isEqualTo("Verify");
        assertThat(NvmOpcode.name(0x0D)).isEqualTo("Reservation Register");
        assertThat(NvmOpcode.name(0x15)).isEqualTo("Reservation Release");
        assertThat(NvmOpcode.name(0x19)).isEqualTo("Copy");
        assertThat(AdminOpcode.name(0x06)).isEqualTo("Identify");
        assertThat(AdminOpcode.name(0x0C)).isEqualTo("Asynchronous Event Request");
        assertThat(AdminOpcode.name(0x86)).isEqualTo("Get LBA Status");
    }

    @Test
    void everyNumberHasAName() {
        for (int i = 0; i < 256; i++) {
            assertThat(NvmOpcode.name(i)).isNotBlank();
            assertThat(AdminOpcode.name(i)).isNotBlank();
            assertThat(Feature.name(i)).isNotBlank();
            assertThat(LogPage.name(i)).isNotBlank();
            assertThat(Cns.name(i)).isNotBlank();
            assertThat(CommandSet.name(i)).isNotBlank();
        }
        assertThat(NvmOpcode.name(0x03)).isEqualTo("Unknown Opcode 03h");
        assertThat(NvmOpcode.name(0x80)).isEqualTo("Vendor Specific Opcode 80h");
        assertThat(AdminOpcode.name(0xC1)).isEqualTo("Vendor Specific Opcode C1h");
        assertThat(LogPage.name(0xCA)).isEqualTo("Vendor Specific Log Page CAh");
    }

    @Test
    void asyncEventsAreDescribed() {
        assertThat(AsyncEvent.of(2, 0, 4).raw()).isEqualTo(0x0004_0002);
        assertThat(AsyncEvent.of(2, 0, 4).describe())
                .isEqualTo("namespace attributes changed (log page Changed Namespace List)");
        assertThat(new AsyncEvent(0x0001_0100).describe())
                .isEqualTo("invalid value written to a doorbell (log page Error Information)");
        for (int type = 0; type < 8; type++) {
            for (int info = 0; info < 256; info++) {
                assertThat(AsyncEvent.of(type, info, 0).describe()).isNotBlank();
            }
        }
    }
}
