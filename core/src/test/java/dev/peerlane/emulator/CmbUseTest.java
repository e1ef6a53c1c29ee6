package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.MIB;
import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.enableCmb;
import static dev.peerlane.emulator.TestFabrics.one;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Tests what the owner of a CMB may do with it: the supports of CMBSZ and the rules of CMBLOC. */
class CmbUseTest {
    private static final long CBA = 0x7000_0000L;

    private static void assertCode(Completion completion, int code) {
        assertThat(Status.describe(completion.code())).isEqualTo(Status.describe(code));
    }

    private static EmulatedFabric with(int support, int rules) {
        return one(drive("a").cmb(CmbModel.of(MIB).withSupport(support).withRules(rules)));
    }

    private static MiniDriver up(EmulatedFabric fabric) {
        MiniDriver driver = MiniDriver.up(fabric, "a");
        enableCmb(driver, CBA);
        return driver;
    }

    @Test
    void dataNeedsReadOrWriteSupport() {
        int[][] cases = {
            {CmbModel.RDS, Status.SUCCESS, Status.INVALID_CMB_USE},
            {CmbModel.WDS, Status.INVALID_CMB_USE, Status.SUCCESS},
            {0, Status.INVALID_CMB_USE, Status.INVALID_CMB_USE},
            {CmbModel.RDS | CmbModel.WDS, Status.SUCCESS, Status.SUCCESS}
        };
        for (int[] c : cases) {
            try (EmulatedFabric fabric = with(c[0], 0);
                    MiniDriver driver = up(fabric)) {
                Queue queue = driver.ioQueue(1, 8);
                assertCode(queue.io(NvmOpcode.READ, 0, 1, CBA, 0), c[1]);
                assertCode(queue.io(NvmOpcode.WRITE, 0, 1, CBA, 0), c[2]);
                assertCode(queue.io(NvmOpcode.COMPARE, 0, 1, CBA, 0), c[2]);
                assertCode(driver.identify(Cns.CONTROLLER, 0, CBA), c[1]);
            }
        }
    }

    @Test
    void withoutTheWindowNothingDecodesTheAddress() {
        try (EmulatedFabric fabric = with(CmbModel.COMMON_SUPPORT, 0);
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 8);
            driver.bar.store64(Reg.CMBMSC, CBA | 1);
            assertCode(queue.io(NvmOpcode.READ, 0, 1, CBA, 0), Status.DATA_TRANSFER_ERROR);
            long own = driver.device.bar(2).pciAddress();
            assertCode(queue.io(NvmOpcode.READ, 0, 1, own, 0), Status.DATA_TRANSFER_ERROR);
            enableCmb(driver, CBA);
            assertCode(queue.io(NvmOpcode.READ, 0, 1, CBA, 0), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.READ, 0, 1, own, 0), Status.DATA_TRANSFER_ERROR);
        }
    }

    @Test
    void ownBarIsOutOfReachEvenWhenItIsMapped() {
        try (EmulatedFabric fabric = with(CmbModel.COMMON_SUPPORT, 0);
                MiniDriver driver = up(fabric)) {
            Queue queue = driver.ioQueue(1, 8);
            Bar bar = driver.device.bar(2);
            try (var window = fabric.dma().mapPeer(driver.device, bar, 0, MIB)) {
                assertCode(
                        queue.io(NvmOpcode.READ, 0, 1, window.busAddress(), 0),
                        Status.DATA_TRANSFER_ERROR);
            }
        }
    }

    @Test
    void dataOfOneCommandIsMixedOnlyWithCdmmms() {
        int[][] cases = {{0, Status.INVALID_CMB_USE}, {CmbModel.CDMMMS, Status.SUCCESS}};
        for (int[] c : cases) {
            try (EmulatedFabric fabric = with(CmbModel.COMMON_SUPPORT, c[0]);
                    MiniDriver driver = up(fabric)) {
                Queue queue = driver.ioQueue(1, 8);
                long host = driver.allocate(4096).busAddress();
                assertCode(queue.io(NvmOpcode.READ, 0, 16, CBA, host), c[1]);
                assertCode(queue.io(NvmOpcode.WRITE, 0, 16, host, CBA), c[1]);
                assertCode(queue.io(NvmOpcode.READ, 0, 16, CBA, CBA + 4096), Status.SUCCESS);
            }
        }
    }

    @Test
    void pageThatLeavesTheCmbIsRefused() {
        CmbModel cmb = CmbModel.of(4096).withRules(CmbModel.CDMMMS);
        try (EmulatedFabric fabric = one(drive("a").cmb(cmb));
                MiniDriver driver = up(fabric)) {
            Queue queue = driver.ioQueue(1, 8);
            assertCode(queue.io(NvmOpcode.READ, 0, 8, CBA, 0), Status.SUCCESS);
            assertCode(
                    queue.io(NvmOpcode.READ, 0, 16, CBA, CBA + 4096), Status.DATA_TRANSFER_ERROR);
        }
    }

    @Test
    void listsNeedSupportAndFollowTheirQueue() {
        int free = CmbModel.CDPCILS;
        int data = CmbModel.RDS | CmbModel.WDS;
        int[][] cases = {
            {CmbModel.COMMON_SUPPORT, 0, Status.INVALID_CMB_USE},
            {CmbModel.COMMON_SUPPORT, free, Status.SUCCESS},
            {data, free, Status.INVALID_CMB_USE}
        };
        for (int[] c : cases) {
            try (EmulatedFabric fabric = with(c[0], c[1]);
                    MiniDriver driver = up(fabric)) {
                Queue queue = driver.ioQueue(1, 8);
                DmaBuffer host = driver.allocate(3 * 4096);
                Bar bar = driver.device.bar(2);
                bar.store64(0x8000, host.busAddress() + 4096);
                bar.store64(0x8008, host.busAddress() + 8192);
                assertCode(queue.io(NvmOpcode.READ, 0, 24, host.busAddress(), CBA + 0x8000), c[2]);
            }
        }
    }

    @Test
    void listsOfOneCommandAreMixedOnlyWithCdpmls() {
        int free = CmbModel.CDPCILS;
        int[][] cases = {{free, Status.INVALID_CMB_USE}, {free | CmbModel.CDPMLS, Status.SUCCESS}};
        for (int[] c : cases) {
            try (EmulatedFabric fabric = with(CmbModel.COMMON_SUPPORT, c[0]);
                    MiniDriver driver = up(fabric)) {
                Queue queue = driver.ioQueue(1, 8);
                DmaBuffer host = driver.allocate(4 * 4096);
                DmaBuffer list = driver.allocate(4096);
                Bar bar = driver.device.bar(2);
                bar.store64(0x8ff8, list.busAddress());
                long page = host.busAddress();
                list.segment().set(JAVA_LONG, 0, page + 4096);
                list.segment().set(JAVA_LONG, 8, page + 8192);
                assertCode(queue.io(NvmOpcode.READ, 0, 24, page, CBA + 0x8ff8), c[1]);
            }
        }
    }

    @Test
    void queuesInTheCmbWorkWhereTheyAreSupported() {
        int support = CmbModel.COMMON_SUPPORT | CmbModel.CQS;
        try (EmulatedFabric fabric = with(support, 0);
                MiniDriver driver = up(fabric);
                Arena arena = Arena.ofConfined()) {
            assertCode(driver.createCq(1, 8, CBA + 0x1000), Status.SUCCESS);
            assertCode(driver.createSq(1, 8, CBA + 0x2000, 1), Status.SUCCESS);
            Bar bar = driver.device.bar(2);
            MemorySegment entry = arena.allocate(Sqe.BYTES, 8);
            Sqe.putCdw0(entry, 0, Sqe.cdw0(NvmOpcode.READ, 9));
            Sqe.putNsid(entry, 0, 1);
            Sqe.putPrp1(entry, 0, CBA + 0x3000);
            bar.fill(0x3000, 512, 0x77777777);
            bar.store(0x2000, entry);
            driver.bar.store32(Reg.sqTailDoorbell(1, 0), 1);
            driver.turns(20);
            long dw23 = bar.load64(0x1008);
            assertThat(Cqe.phaseOf(dw23)).isEqualTo(1);
            assertThat(Cqe.cidOf(dw23)).isEqualTo(9);
            assertThat(Cqe.statusOf(dw23)).isZero();
            assertThat(bar.load64(0x3000)).isZero();
            assertThat(fabric.traffic().orElseThrow().total().ownMemory()).isEqualTo(64 + 512 + 16);
        }
    }

    @Test
    void listsOfAQueueInTheCmbAreInTheCmbToo() {
        try (EmulatedFabric fabric = with(CmbModel.COMMON_SUPPORT, 0);
                MiniDriver driver = up(fabric);
                Arena arena = Arena.ofConfined()) {
            Queue queue = driver.new Queue(1, 8);
            assertCode(driver.createCq(1, 8, queue.cqBus), Status.SUCCESS);
            assertCode(driver.createSq(1, 8, CBA + 0x2000, 1), Status.SUCCESS);
            Bar bar = driver.device.bar(2);
            DmaBuffer host = driver.allocate(3 * 4096);
            DmaBuffer list = driver.allocate(4096);
            long page = host.busAddress();
            bar.store64(0x8000, page + 4096);
            bar.store64(0x8008, page + 8192);
            long[] places = {CBA + 0x8000, list.busAddress()};
            int[] codes = {Status.SUCCESS, Status.INVALID_CMB_USE};
            list.segment().set(JAVA_LONG, 0, page + 4096);
            list.segment().set(JAVA_LONG, 8, page + 8192);
            for (int i = 0; i < 2; i++) {
                MemorySegment entry = arena.allocate(Sqe.BYTES, 8);
                Sqe.putCdw0(entry, 0, Sqe.cdw0(NvmOpcode.READ, i));
                Sqe.putNsid(entry, 0, 1);
                Sqe.putPrp1(entry, 0, page);
                Sqe.putPrp2(entry, 0, places[i]);
                Sqe.putCdw12(entry, 0, 23);
                bar.store(0x2000 + 64L * i, entry);
                driver.bar.store32(Reg.sqTailDoorbell(1, 0), i + 1);
                assertCode(queue.next(), codes[i]);
            }
        }
    }

    @Test
    void queuesInTheCmbAreRefusedWhereTheyAreNot() {
        try (EmulatedFabric fabric = with(CmbModel.RDS | CmbModel.WDS, 0);
                MiniDriver driver = up(fabric)) {
            Queue queue = driver.new Queue(1, 8);
            assertCode(driver.createCq(1, 8, CBA), Status.INVALID_CMB_USE);
            assertCode(driver.createCq(1, 8, queue.cqBus), Status.SUCCESS);
            assertCode(driver.createSq(1, 8, CBA, 1), Status.INVALID_CMB_USE);
            long end = CBA + MIB - 4096;
            assertCode(driver.createSq(1, 128, end, 1), Status.INVALID_CMB_USE);
        }
        try (EmulatedFabric fabric = with(CmbModel.RDS, 0);
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            enableCmb(driver, CBA);
            driver.bar.store32(Reg.AQA, Aqa.of(4, 4).raw());
            driver.bar.store64(Reg.ASQ, CBA);
            driver.bar.store64(Reg.ACQ, driver.admin.cqBus);
            driver.bar.store32(Reg.CC, MiniDriver.cc());
            assertThat(driver.awaitCsts(2, 2)).as("admin queue in a CMB without SQS").isTrue();
        }
    }
}
