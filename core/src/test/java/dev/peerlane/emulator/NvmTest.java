package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.MIB;
import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.one;
import static dev.peerlane.emulator.TestFabrics.randomize;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.DsmRange;
import dev.peerlane.spec.wire.NvmCommand;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the I/O commands: what they do to the medium, and every reason to refuse them. */
class NvmTest {
    private static void assertCode(Completion completion, int code) {
        assertThat(Status.describe(completion.code())).isEqualTo(Status.describe(code));
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 4096, 16_384, 65_536})
    void everyBlockSizeKeepsItsBlocks(int blockBytes) {
        try (EmulatedFabric fabric = one(DriveModel.named("a").memory(4 * MIB, blockBytes));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(65_536);
            randomize(data.segment(), blockBytes);
            long list = prpList(driver, data);
            long last = 4 * MIB / blockBytes - 1;
            long prp2 = blockBytes > 8192 ? list : data.busAddress() + 4096;
            assertCode(queue.io(NvmOpcode.WRITE, last, 1, data.busAddress(), prp2), 0);
            byte[] written = data.segment().asSlice(0, blockBytes).toArray(ValueLayout.JAVA_BYTE);
            data.segment().fill((byte) 0);
            assertCode(queue.io(NvmOpcode.READ, last, 1, data.busAddress(), prp2), 0);
            assertThat(data.segment().asSlice(0, blockBytes).toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(written);
            assertCode(
                    queue.io(NvmOpcode.READ, last + 1, 1, data.busAddress(), prp2),
                    Status.LBA_OUT_OF_RANGE);
        }
    }

    @Test
    void unwrittenBlocksReadZero() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(4096);
            data.segment().fill((byte) 7);
            assertCode(queue.io(NvmOpcode.READ, 1000, 7, data.busAddress(), 0), 0);
            assertThat(data.segment().get(ValueLayout.JAVA_BYTE, 7 * 512 - 1)).isZero();
            assertThat(data.segment().get(ValueLayout.JAVA_BYTE, 7 * 512)).isEqualTo((byte) 7);
        }
    }

    @Test
    void rangesBeyondTheEndAreRefusedForGood() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            long at = driver.allocate(4096).busAddress();
            long end = 16 * MIB / 512;
            assertCode(queue.io(NvmOpcode.READ, end - 8, 8, at, 0), Status.SUCCESS);
            for (long slba : new long[] {end - 7, end, end + 1, Long.MAX_VALUE, -1, -8}) {
                Completion refused = queue.io(NvmOpcode.READ, slba, 8, at, 0);
                assertCode(refused, Status.LBA_OUT_OF_RANGE);
                assertThat(Status.doNotRetry(refused.status())).isTrue();
            }
            assertThat(fabric.traffic().orElseThrow().total().hostDataWritten()).isEqualTo(4096);
        }
    }

    @Test
    void aFlushMeetsNoBadBlocks() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            long at = driver.allocate(4096).busAddress();
            fabric.arm(Fault.at(Fault.Kind.BAD_BLOCKS, "a").onIo(NvmOpcode.FLUSH).withTimes(2));
            fabric.arm(Fault.at(Fault.Kind.BAD_BLOCKS, "a").onIo(NvmOpcode.READ));
            assertCode(queue.io(NvmOpcode.FLUSH, 0, 1, 0, 0), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.FLUSH, 0, 1, 0, 0), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.READ, 8, 1, at, 0), Status.UNRECOVERED_READ_ERROR);
            assertCode(queue.io(NvmOpcode.READ, 8, 1, at, 0), Status.UNRECOVERED_READ_ERROR);
            assertCode(queue.io(NvmOpcode.READ, 9, 1, at, 0), Status.SUCCESS);
        }
    }

    @Test
    void wrongCommandsAreRefusedForEveryReason() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 8);
            long at = driver.allocate(4096).busAddress();
            int[] lba = MiniDriver.lba(0, 1);
            for (int nsid : new int[] {0, 2, -1}) {
                assertCode(queue.run(NvmOpcode.READ, nsid, at, 0, lba), Status.INVALID_NAMESPACE);
            }
            assertCode(queue.run(NvmOpcode.COPY, 1, at, 0, lba), Status.INVALID_OPCODE);
            assertCode(queue.run(0x93, 1, at, 0, lba), Status.INVALID_OPCODE);
            queue.postRaw(Sqe.cdw0(NvmOpcode.READ, 0, Sqe.PSDT_SGL, 0), 40, 1, at, 0, lba);
            queue.ring();
            assertCode(queue.next(), Status.INVALID_FIELD);
            queue.postRaw(Sqe.cdw0(NvmOpcode.READ, Sqe.FUSE_FIRST, 0, 0), 41, 1, at, 0, lba);
            queue.ring();
            assertCode(queue.next(), Status.INVALID_FIELD);
        }
    }

    @Test
    void transfersAboveMdtsAreRefused() {
        try (EmulatedFabric fabric = one(drive("a").mdts(2));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(32 << 10);
            long list = prpList(driver, data);
            long at = data.busAddress();
            assertCode(queue.io(NvmOpcode.READ, 0, 32, at, list), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.READ, 0, 33, at, list), Status.INVALID_FIELD);
            assertCode(queue.io(NvmOpcode.COMPARE, 0, 33, at, list), Status.INVALID_FIELD);
            assertCode(queue.io(NvmOpcode.VERIFY, 0, 33, 0, 0), Status.INVALID_FIELD);
            assertCode(queue.io(NvmOpcode.WRITE_ZEROES, 0, 4096, 0, 0), Status.SUCCESS);
        }
    }

    @Test
    void withoutMdtsOneCommandMovesMegabytes() {
        try (EmulatedFabric fabric = one(drive("a").mdts(0));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(4 * MIB);
            randomize(data.segment(), 3);
            long list = prpList(driver, data);
            assertCode(queue.io(NvmOpcode.WRITE, 0, 8192, data.busAddress(), list), 0);
            assertCode(queue.io(NvmOpcode.COMPARE, 0, 8192, data.busAddress(), list), 0);
            data.segment().set(ValueLayout.JAVA_BYTE, 4 * MIB - 1, (byte) 0);
            data.segment().set(ValueLayout.JAVA_BYTE, 4 * MIB - 2, (byte) 1);
            assertCode(
                    queue.io(NvmOpcode.COMPARE, 0, 8192, data.busAddress(), list),
                    Status.COMPARE_FAILURE);
        }
    }

    @Test
    void compareFindsEveryByte() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(4096);
            randomize(data.segment(), 1);
            long at = data.busAddress();
            assertCode(queue.io(NvmOpcode.WRITE, 0, 1, at, 0), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.COMPARE, 0, 1, at, 0), Status.SUCCESS);
            for (int i = 0; i < 512; i++) {
                byte right = data.segment().get(ValueLayout.JAVA_BYTE, i);
                data.segment().set(ValueLayout.JAVA_BYTE, i, (byte) (right ^ 1));
                assertCode(queue.io(NvmOpcode.COMPARE, 0, 1, at, 0), Status.COMPARE_FAILURE);
                data.segment().set(ValueLayout.JAVA_BYTE, i, right);
            }
        }
    }

    @Test
    void compareCanBeLeftOut() {
        try (EmulatedFabric fabric = one(drive("a").compare(false));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(4096);
            assertCode(
                    queue.io(NvmOpcode.COMPARE, 0, 1, data.busAddress(), 0), Status.INVALID_OPCODE);
            driver.identify(Cns.CONTROLLER, 0, data.busAddress());
            assertThat(IdentifyController.ONCS.read(data.segment()) & 1).isZero();
        }
    }

    @Test
    void zeroedAndDeallocatedBlocksReadZero() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(8192);
            long at = data.busAddress();
            data.segment().fill((byte) 5);
            assertCode(queue.io(NvmOpcode.WRITE, 0, 16, at, at + 4096), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.WRITE_ZEROES, 2, 3, 0, 0), Status.SUCCESS);
            DsmRange.put(data.segment(), 0, 8, 2);
            DsmRange.put(data.segment(), 16, 12, 1);
            int ranges = NvmCommand.dsmCdw10(2);
            assertCode(
                    queue.run(NvmOpcode.DATASET_MANAGEMENT, 1, at, 0, ranges, 3), Status.SUCCESS);
            assertThat(zeroBlocks(queue, data)).isEqualTo(0b0000_0000_0001_1100);
            DsmRange.put(data.segment(), 0, 8, 2);
            DsmRange.put(data.segment(), 16, 12, 1);
            assertCode(
                    queue.run(
                            NvmOpcode.DATASET_MANAGEMENT,
                            1,
                            at,
                            0,
                            ranges,
                            NvmCommand.DSM_DEALLOCATE),
                    Status.SUCCESS);
            assertThat(zeroBlocks(queue, data)).isEqualTo(0b0001_0011_0001_1100);
            DsmRange.put(data.segment(), 0, 0, 1);
            DsmRange.put(data.segment(), 16, 16 * MIB / 512, 1);
            assertCode(
                    queue.run(
                            NvmOpcode.DATASET_MANAGEMENT,
                            1,
                            at,
                            0,
                            ranges,
                            NvmCommand.DSM_DEALLOCATE),
                    Status.LBA_OUT_OF_RANGE);
            assertThat(zeroBlocks(queue, data))
                    .as("nothing was done")
                    .isEqualTo(0b1_0011_0001_1100);
        }
    }

    @Test
    void wholeChunksComeBackZeroAfterDeallocation() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(4096);
            long at = data.busAddress();
            data.segment().fill((byte) 9);
            assertCode(queue.io(NvmOpcode.WRITE, 600, 8, at, 0), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.WRITE_ZEROES, 0, 4096, 0, 0), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.WRITE, 2000, 1, at, 0), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.READ, 2001, 7, at, 0), Status.SUCCESS);
            assertThat(data.segment().get(ValueLayout.JAVA_BYTE, 0)).isZero();
            assertCode(queue.io(NvmOpcode.READ, 600, 8, at, 0), Status.SUCCESS);
            assertThat(data.segment().get(ValueLayout.JAVA_BYTE, 0)).isZero();
        }
    }

    @Test
    void flushTakesOneNamespaceOrAll() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            assertCode(queue.run(NvmOpcode.FLUSH, 1, 0, 0), Status.SUCCESS);
            assertCode(queue.run(NvmOpcode.FLUSH, -1, 0, 0), Status.SUCCESS);
            assertCode(queue.run(NvmOpcode.FLUSH, 2, 0, 0), Status.INVALID_NAMESPACE);
            assertCode(queue.io(NvmOpcode.VERIFY, 0, 8, 0, 0), Status.SUCCESS);
        }
    }

    @Test
    void writeProtectedNamespaceIsReadOnly() {
        NamespaceModel namespace = NamespaceModel.memory(MIB, 512).withWriteProtected(true);
        try (EmulatedFabric fabric = one(DriveModel.named("a").namespace(namespace));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            long at = driver.allocate(4096).busAddress();
            assertCode(queue.io(NvmOpcode.READ, 0, 1, at, 0), Status.SUCCESS);
            for (int opcode : new int[] {NvmOpcode.WRITE, NvmOpcode.WRITE_ZEROES}) {
                assertCode(queue.io(opcode, 0, 1, at, 0), Status.NAMESPACE_WRITE_PROTECTED);
            }
            assertCode(
                    queue.run(NvmOpcode.DATASET_MANAGEMENT, 1, at, 0, 0, 4),
                    Status.NAMESPACE_WRITE_PROTECTED);
        }
    }

    @Test
    void namespaceWithMetadataSaysSoAndRefusesData() {
        NamespaceModel namespace = NamespaceModel.memory(MIB, 512).withMetadata(8, 1);
        try (EmulatedFabric fabric = one(DriveModel.named("a").namespace(namespace));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer page = driver.allocate(4096);
            assertCode(driver.identify(Cns.NAMESPACE, 1, page.busAddress()), Status.SUCCESS);
            IdentifyNamespace id = new IdentifyNamespace(page.segment());
            assertThat(id.format().ms()).isEqualTo(8);
            assertThat(id.dps() & 7).isEqualTo(1);
            assertCode(queue.io(NvmOpcode.READ, 0, 1, page.busAddress(), 0), Status.INVALID_FIELD);
        }
    }

    @Test
    void everyByteOfDataIsCountedOnce() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(64 << 10);
            long list = prpList(driver, data);
            long at = data.busAddress();
            assertCode(queue.io(NvmOpcode.WRITE, 0, 100, at, list), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.READ, 0, 60, at, list), Status.SUCCESS);
            assertCode(queue.io(NvmOpcode.COMPARE, 0, 3, at, 0), Status.SUCCESS);
            var traffic = fabric.traffic().orElseThrow().of(driver.device.bdf());
            assertThat(traffic.hostDataRead()).isEqualTo(103 * 512);
            assertThat(traffic.hostDataWritten()).isEqualTo(60 * 512);
            assertThat(traffic.hostPrpLists()).isEqualTo((12 + 7) * 8);
            assertThat(traffic.hostAdminWritten()).isZero();
            driver.identify(Cns.CONTROLLER, 0, at);
            assertThat(fabric.traffic().orElseThrow().total().hostAdminWritten()).isEqualTo(4096);
        }
    }

    /** Reads blocks 0 to 15; returns a mask with bit n set if block n is zero. */
    private static int zeroBlocks(Queue queue, DmaBuffer data) {
        data.segment().fill((byte) 0x44);
        long at = data.busAddress();
        assertCode(queue.io(NvmOpcode.READ, 0, 16, at, at + 4096), Status.SUCCESS);
        int zero = 0;
        byte[] nothing = new byte[512];
        for (int i = 0; i < 16; i++) {
            MemorySegment block = data.segment().asSlice(i * 512L, 512);
            zero |= block.mismatch(MemorySegment.ofArray(nothing)) < 0 ? 1 << i : 0;
        }
        return zero;
    }

    /** Makes a list of all pages but the first, chained if it is longer than a page. */
    static long prpList(MiniDriver driver, DmaBuffer data) {
        int pages = (int) (data.sizeBytes() / 4096) - 1;
        int lists = 1 + pages / 511;
        DmaBuffer list = driver.allocate(4096L * lists);
        int slot = 0;
        for (int page = 1; page <= pages; page++) {
            boolean lastSlot = slot % 512 == 511 && page < pages;
            if (lastSlot) {
                long next = list.busAddress() + 4096L * (slot / 512 + 1);
                list.segment().setAtIndex(ValueLayout.JAVA_LONG, slot++, next);
            }
            long address = data.busAddress() + 4096L * page;
            list.segment().setAtIndex(ValueLayout.JAVA_LONG, slot++, address);
        }
        return list.busAddress();
    }
}
