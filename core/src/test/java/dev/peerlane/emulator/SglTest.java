package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.MIB;
import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.enableCmb;
import static dev.peerlane.emulator.TestFabrics.one;
import static dev.peerlane.emulator.TestFabrics.randomize;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.Sgl;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Tests SGLs of I/O commands (NVMe Base 2.0, 4.1.2): data blocks, segments, and what is refused.
 */
class SglTest {
    private static final long CBA = 0x7000_0000L;
    private static final int UNSUPPORTED_TYPE = 7;

    private EmulatedFabric fabric;
    private MiniDriver driver;
    private Queue queue;
    private DmaBuffer data;
    private DmaBuffer list;

    private void bringUp(DriveModel.Builder drive) {
        fabric = one(drive.mdts(0));
        driver = MiniDriver.up(fabric, "a");
        queue = driver.ioQueue(1, 8);
        data = driver.allocate(256 << 10);
        list = driver.allocate(4096);
        randomize(data.segment(), 12);
    }

    @AfterEach
    void tearDown() {
        driver.close();
        fabric.close();
    }

    private static void assertCode(Completion completion, int code) {
        assertThat(Status.describe(completion.code())).isEqualTo(Status.describe(code));
    }

    /** Runs one command whose data pointer is a descriptor. */
    private Completion io(int opcode, int blocks, int type, long address, long length) {
        int cid = queue.nextCid++;
        queue.postRaw(
                Sqe.cdw0(opcode, Sqe.FUSE_NONE, Sqe.PSDT_SGL, cid),
                cid,
                1,
                address,
                length | (long) type << 60,
                MiniDriver.lba(0, blocks));
        queue.ring();
        return queue.next();
    }

    private Completion write(int blocks, int type, long address, long length) {
        return io(NvmOpcode.WRITE, blocks, type, address, length);
    }

    private void entry(int index, int type, long address, long length) {
        Sgl.put(list.segment(), 16L * index, type, address, length);
    }

    private void assertStored(byte[] expected) {
        byte[] medium = fabric.controller("a").medium(1);
        assertThat(MemorySegment.ofArray(medium).asSlice(0, expected.length))
                .matches(m -> m.mismatch(MemorySegment.ofArray(expected)) == -1);
    }

    private byte[] bytes(long offset, int length) {
        return data.segment().asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void oneBlockHoldsALongTransferAtAnyAddress() {
        bringUp(drive("a").sgls(DriveModel.Sgls.BYTES));
        assertCode(write(256, Sgl.DATA_BLOCK, data.busAddress() + 0x1235, 128 << 10), 0);
        assertStored(bytes(0x1235, 128 << 10));
        data.segment().fill((byte) 0);
        byte[] medium = fabric.controller("a").medium(1);
        assertCode(
                io(NvmOpcode.READ, 256, Sgl.DATA_BLOCK, data.busAddress() + 3, 128 << 10),
                Status.SUCCESS);
        assertThat(bytes(3, 128 << 10)).isEqualTo(Arrays.copyOf(medium, 128 << 10));
    }

    @Test
    void dwordsRequireAlignedAddressAndLength() {
        bringUp(drive("a").sgls(DriveModel.Sgls.DWORDS));
        long at = data.busAddress();
        assertCode(write(16, Sgl.DATA_BLOCK, at + 4, 8192), Status.SUCCESS);
        assertStored(bytes(4, 8192));
        assertCode(write(16, Sgl.DATA_BLOCK, at + 2, 8192), Status.SGL_GRANULARITY_INVALID);
        entry(0, Sgl.DATA_BLOCK, at, 8190);
        entry(1, Sgl.DATA_BLOCK, at, 2);
        assertCode(
                write(16, Sgl.LAST_SEGMENT, list.busAddress(), 32), Status.SGL_GRANULARITY_INVALID);
    }

    @Test
    void segmentsLeadFromOneToTheNext() {
        bringUp(drive("a").sgls(DriveModel.Sgls.BYTES));
        long at = data.busAddress();
        entry(0, Sgl.DATA_BLOCK, at + 0x8001, 1000);
        entry(1, Sgl.SEGMENT, list.busAddress() + 0x100, 32);
        entry(16, Sgl.DATA_BLOCK, at + 0x20, 0);
        entry(17, Sgl.LAST_SEGMENT, list.busAddress() + 0x200, 32);
        entry(32, Sgl.DATA_BLOCK, at + 0x10000, 500);
        entry(33, Sgl.DATA_BLOCK, at, 548);
        assertCode(write(4, Sgl.SEGMENT, list.busAddress(), 32), Status.SUCCESS);
        byte[] expected = new byte[2048];
        System.arraycopy(bytes(0x8001, 1000), 0, expected, 0, 1000);
        System.arraycopy(bytes(0x10000, 500), 0, expected, 1000, 500);
        System.arraycopy(bytes(0, 548), 0, expected, 1500, 548);
        assertStored(expected);
    }

    @Test
    void listsThatMakeNoSenseAreRefused() {
        bringUp(drive("a").sgls(DriveModel.Sgls.BYTES));
        long at = data.busAddress();
        long lists = list.busAddress();
        assertCode(write(2, Sgl.DATA_BLOCK, at, 1023), Status.DATA_SGL_LENGTH_INVALID);
        assertCode(write(2, Sgl.DATA_BLOCK, at, 1025), Status.DATA_SGL_LENGTH_INVALID);
        assertCode(write(2, UNSUPPORTED_TYPE, at, 1024), Status.SGL_TYPE_INVALID);
        assertCode(write(2, Sgl.BIT_BUCKET, at, 1024), Status.SGL_TYPE_INVALID);
        assertCode(write(2, Sgl.LAST_SEGMENT, lists, 0), Status.INVALID_SGL_SEGMENT);
        assertCode(write(2, Sgl.LAST_SEGMENT, lists, 24), Status.INVALID_SGL_SEGMENT);
        entry(0, Sgl.DATA_BLOCK, at, 512);
        entry(1, Sgl.DATA_BLOCK, at, 512);
        assertCode(write(2, Sgl.SEGMENT, lists, 32), Status.INVALID_SGL_SEGMENT);
        entry(1, Sgl.LAST_SEGMENT, lists, 16);
        assertCode(write(2, Sgl.LAST_SEGMENT, lists, 32), Status.INVALID_SGL_SEGMENT);
        entry(0, Sgl.SEGMENT, lists, 16);
        assertCode(write(2, Sgl.SEGMENT, lists, 16), Status.INVALID_SGL_COUNT);
        assertCode(write(2, Sgl.DATA_BLOCK, 0x10, 1024), Status.DATA_TRANSFER_ERROR);
    }

    /** A client may map its memory in pieces, for example by large pages. */
    @Test
    void blocksAndSegmentsMayGoOnInTheNextMapping() {
        bringUp(drive("a").sgls(DriveModel.Sgls.BYTES));
        long edge = 0x40_0000_0000L;
        assertThat(fabric.attachMemory(edge - 0x10000, data.segment().asSlice(0, 0x10000)))
                .isTrue();
        assertThat(fabric.attachMemory(edge, data.segment().asSlice(0x10000, 0x10000))).isTrue();
        assertCode(write(64, Sgl.DATA_BLOCK, edge - 0x3a01, 32 << 10), Status.SUCCESS);
        assertStored(bytes(0x10000 - 0x3a01, 32 << 10));
        Sgl.put(data.segment(), 0x10000 - 16, Sgl.DATA_BLOCK, edge - 0x8000, 1000);
        Sgl.put(data.segment(), 0x10000, Sgl.DATA_BLOCK, edge + 0x8000, 24);
        assertCode(write(2, Sgl.LAST_SEGMENT, edge - 16, 32), Status.SUCCESS);
        byte[] expected = bytes(0x8000, 1024);
        System.arraycopy(bytes(0x18000, 24), 0, expected, 1000, 24);
        assertStored(expected);
        fabric.detachMemory(edge);
        fabric.detachMemory(edge - 0x10000);
    }

    @Test
    void withoutSupportTheirPsdtIsInvalid() {
        bringUp(drive("a"));
        assertCode(write(1, Sgl.DATA_BLOCK, data.busAddress(), 512), Status.INVALID_FIELD);
        assertCode(driver.identify(Cns.CONTROLLER, 0, data.busAddress()), Status.SUCCESS);
        assertThat(new IdentifyController(data.segment()).sglSupport()).isZero();
    }

    @Test
    void blocksInTheCmbKeepItsRules() {
        bringUp(
                drive("a")
                        .sgls(DriveModel.Sgls.DWORDS)
                        .cmb(CmbModel.of(MIB).withSupport(CmbModel.RDS)));
        enableCmb(driver, CBA);
        assertCode(io(NvmOpcode.READ, 32, Sgl.DATA_BLOCK, CBA + 4, 16384), Status.SUCCESS);
        assertCode(write(32, Sgl.DATA_BLOCK, CBA + 4, 16384), Status.INVALID_CMB_USE);
        // the last page is in the CMB, the next one is not
        assertCode(
                io(NvmOpcode.READ, 32, Sgl.DATA_BLOCK, CBA + MIB - 8192, 16384),
                Status.INVALID_CMB_USE);
        entry(0, Sgl.DATA_BLOCK, CBA, 512);
        entry(1, Sgl.DATA_BLOCK, data.busAddress(), 512);
        assertCode(
                io(NvmOpcode.READ, 2, Sgl.LAST_SEGMENT, list.busAddress(), 32),
                Status.INVALID_CMB_USE);
    }
}
