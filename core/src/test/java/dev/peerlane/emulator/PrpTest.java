package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.one;
import static dev.peerlane.emulator.TestFabrics.randomize;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests PRP entries and lists: offsets, chains, and every invalid form. */
class PrpTest {
    private EmulatedFabric fabric;
    private MiniDriver driver;
    private Queue queue;
    private DmaBuffer data;
    private DmaBuffer list;

    @BeforeEach
    void bringUp() {
        fabric = one(drive("a").mdts(0));
        driver = MiniDriver.up(fabric, "a");
        queue = driver.ioQueue(1, 8);
        data = driver.allocate(256 << 10);
        list = driver.allocate(4 * 4096);
        randomize(data.segment(), 11);
    }

    @AfterEach
    void tearDown() {
        driver.close();
        fabric.close();
    }

    private static void assertCode(Completion completion, int code) {
        assertThat(Status.describe(completion.code())).isEqualTo(Status.describe(code));
    }

    private long page(int index) {
        return data.busAddress() + index * 4096L;
    }

    private void entry(long at, long value) {
        list.segment().set(JAVA_LONG, at, value);
    }

    /** Writes, reads back through another PRP1, and compares. */
    private void assertStored(long slba, int blocks, MemorySegment expected) {
        DmaBuffer back = driver.allocate(256 << 10);
        long prp2 = NvmTest.prpList(driver, back);
        long bytes = blocks * 512L;
        if (bytes <= 8192) {
            prp2 = back.busAddress() + 4096;
        }
        assertCode(queue.io(NvmOpcode.READ, slba, blocks, back.busAddress(), prp2), 0);
        assertThat(back.segment().asSlice(0, bytes).mismatch(expected)).isEqualTo(-1);
    }

    @Test
    void firstEntryMayBeginInsideAPage() {
        assertCode(queue.io(NvmOpcode.WRITE, 0, 1, page(0) + 0xe00, 0x1234), Status.SUCCESS);
        assertCode(queue.io(NvmOpcode.WRITE, 0, 1, page(0) + 0xdfc, 0), Status.SUCCESS);
        assertStored(0, 1, data.segment().asSlice(0xdfc, 512));
    }

    @Test
    void twoPagesMeetAtTheBoundary() {
        assertCode(queue.io(NvmOpcode.WRITE, 0, 8, page(0) + 0x804, page(5)), Status.SUCCESS);
        byte[] expected = new byte[4096];
        MemorySegment whole = MemorySegment.ofArray(expected);
        MemorySegment.copy(data.segment(), 0x804, whole, 0, 0x7fc);
        MemorySegment.copy(data.segment(), 5 * 4096, whole, 0x7fc, 0x804);
        assertStored(0, 8, whole);
    }

    @Test
    void entriesOffTheirAlignmentAreInvalid() {
        assertCode(queue.io(NvmOpcode.WRITE, 0, 1, page(0) + 2, 0), Status.PRP_OFFSET_INVALID);
        assertCode(
                queue.io(NvmOpcode.WRITE, 0, 16, page(0), page(1) + 512),
                Status.PRP_OFFSET_INVALID);
        assertCode(
                queue.io(NvmOpcode.WRITE, 0, 24, page(0), list.busAddress() + 4),
                Status.PRP_OFFSET_INVALID);
        entry(0, page(1));
        entry(8, page(2) + 8);
        assertCode(
                queue.io(NvmOpcode.WRITE, 0, 24, page(0), list.busAddress()),
                Status.PRP_OFFSET_INVALID);
    }

    @Test
    void listMayBeginInsideAPage() {
        entry(0xff0, page(7));
        entry(0xff8, page(3));
        assertCode(queue.io(NvmOpcode.WRITE, 0, 24, page(1), list.busAddress() + 0xff0), 0);
        byte[] expected = new byte[3 * 4096];
        MemorySegment whole = MemorySegment.ofArray(expected);
        MemorySegment.copy(data.segment(), 4096, whole, 0, 4096);
        MemorySegment.copy(data.segment(), 7 * 4096, whole, 4096, 4096);
        MemorySegment.copy(data.segment(), 3 * 4096, whole, 8192, 4096);
        assertStored(0, 24, whole);
    }

    @Test
    void lastEntryOfAPageLeadsToTheNextList() {
        entry(0xff0, page(1));
        entry(0xff8, list.busAddress() + 8192);
        entry(8192, page(2));
        entry(8200, page(3));
        assertCode(queue.io(NvmOpcode.WRITE, 0, 32, page(0), list.busAddress() + 0xff0), 0);
        assertStored(0, 32, data.segment().asSlice(0, 4 * 4096));
        entry(0xff8, list.busAddress() + 8192 + 64);
        assertCode(
                queue.io(NvmOpcode.WRITE, 0, 32, page(0), list.busAddress() + 0xff0),
                Status.PRP_OFFSET_INVALID);
    }

    @Test
    void listOfNothingButALinkIsFollowed() {
        entry(0xff8, list.busAddress() + 8192);
        entry(8192, page(1));
        entry(8200, page(2));
        assertCode(queue.io(NvmOpcode.WRITE, 0, 24, page(0), list.busAddress() + 0xff8), 0);
        assertStored(0, 24, data.segment().asSlice(0, 3 * 4096));
    }

    @Test
    void memoryOutOfReachIsATransferError() {
        assertCode(queue.io(NvmOpcode.WRITE, 0, 1, 0x1000, 0), Status.DATA_TRANSFER_ERROR);
        assertCode(queue.io(NvmOpcode.READ, 0, 1, 0x1000, 0), Status.DATA_TRANSFER_ERROR);
        assertCode(queue.io(NvmOpcode.READ, 0, 24, page(0), 0x1000), Status.DATA_TRANSFER_ERROR);
        DmaBuffer gone = driver.allocate(4096);
        long at = gone.busAddress();
        gone.close();
        assertCode(queue.io(NvmOpcode.READ, 0, 1, at, 0), Status.DATA_TRANSFER_ERROR);
        long faulted = fabric.traffic().orElseThrow().total().faulted();
        assertThat(faulted).isEqualTo(512 + 512 + 16 + 512);
    }

    @Test
    void failedWriteLeavesTheMediumAlone() {
        assertCode(queue.io(NvmOpcode.WRITE, 0, 16, page(0), page(1)), Status.SUCCESS);
        assertCode(queue.io(NvmOpcode.WRITE, 0, 16, page(8), 0x1000), Status.DATA_TRANSFER_ERROR);
        assertStored(0, 16, data.segment().asSlice(0, 8192));
    }

    @Test
    void largerPagesOfTheControllerAreHonoured() {
        driver.close();
        fabric.close();
        fabric = one(drive("a").mdts(0));
        driver = new MiniDriver(fabric, "a");
        driver.programAdmin();
        // pages of 64 KiB: queues and lists have to be aligned to that
        DmaBuffer all = driver.allocate(1 << 20);
        long base = (all.busAddress() + 0xffff) & ~0xffffL;
        MemorySegment memory = all.segment().asSlice(base - all.busAddress());
        driver.bar.store64(Reg.ASQ, base);
        driver.bar.store64(Reg.ACQ, base + 0x10000);
        driver.bar.store32(Reg.CC, new Cc(MiniDriver.cc()).withMps(4).raw());
        assertThat(driver.awaitCsts(1, 1)).isTrue();
        memory.asSlice(0, 64).fill((byte) 0);
        Sqe.putCdw0(memory, 0, 6);
        Sqe.putPrp1(memory, 0, base + 0x20000 + 0xf800);
        Sqe.putPrp2(memory, 0, base + 0x30000);
        Sqe.putCdw10(memory, 0, 1);
        driver.bar.store32(Reg.DOORBELLS, 1);
        driver.turns(20);
        assertThat(Cqe.dw23(memory, 0x10000) >>> 48).isEqualTo(1);
        MemorySegment serial = memory.asSlice(0x20000 + 0xf800 + 4, 5);
        assertThat(serial.toArray(JAVA_BYTE)).containsExactly('E', 'M', 'U', '-', 'a');
    }
}
