package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.one;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.watch.ControllerStatistics;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Tests the protocol of the queues: phase, wrap, full queues, doorbells, order, deletion. */
class QueueTest {
    @Test
    void phaseInvertsAtEveryWrapAndHeadFollows() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 3);
            long at = driver.allocate(4096).busAddress();
            for (int i = 0; i < 20; i++) {
                Completion completion = queue.io(NvmOpcode.READ, i, 1, at, 0);
                assertThat(completion.status()).isZero();
                assertThat(completion.cid()).isEqualTo(i);
                assertThat(completion.sqid()).isEqualTo(1);
                assertThat(completion.sqhd()).isEqualTo((i + 1) % 3);
            }
        }
    }

    @Test
    void fullCompletionQueueHoldsCommandsBackAndLosesNone() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.new Queue(1, 16);
            DmaBuffer small = driver.allocate(4096);
            assertThat(driver.createCq(1, 3, small.busAddress()).status()).isZero();
            assertThat(driver.createSq(1, 16, queue.sqBus, 1).status()).isZero();
            long at = driver.allocate(4096).busAddress();
            for (int i = 0; i < 15; i++) {
                queue.post(NvmOpcode.READ, 1, at, 0, MiniDriver.lba(i, 1));
            }
            queue.ring();
            driver.turns(200);
            var cq = small.segment();
            Set<Integer> cids = new HashSet<>();
            int head = 0;
            int phase = 1;
            for (int round = 0; round < 15; round++) {
                long dw23 = Cqe.dw23(cq, head * 16L);
                assertThat(Cqe.phaseOf(dw23)).isEqualTo(phase);
                cids.add(Cqe.cidOf(dw23));
                head++;
                if (head == 3) {
                    head = 0;
                    phase ^= 1;
                }
                long next = Cqe.dw23(cq, ((head + 1) % 3) * 16L);
                driver.turns(5);
                assertThat(Cqe.dw23(cq, ((head + 1) % 3) * 16L))
                        .as("nothing is written before the head moves")
                        .isEqualTo(next);
                driver.bar.store32(Reg.cqHeadDoorbell(1, 0), head);
                driver.turns(5);
            }
            assertThat(cids).hasSize(15);
        }
    }

    @Test
    void commandsCompleteOutOfOrder() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            assertThat(order(driver)).hasSize(32).doesNotHaveDuplicates().isNotEqualTo(sorted(32));
            assertThat(fabric.controller("a").statistics().maxInFlight()).isEqualTo(32);
        }
    }

    @Test
    void sameSeedSameOrderOtherSeedOtherOrder() {
        List<List<Integer>> orders = new ArrayList<>();
        for (long seed : new long[] {7, 7, 8}) {
            FabricModel model = TestFabrics.virtual().drive(drive("a").build()).seed(seed).build();
            try (EmulatedFabric fabric = new EmulatedFabric(model);
                    MiniDriver driver = MiniDriver.up(fabric, "a")) {
                orders.add(order(driver));
            }
        }
        assertThat(orders.get(1)).isEqualTo(orders.get(0));
        assertThat(orders.get(2)).isNotEqualTo(orders.get(0));
    }

    @Test
    void piecesOfOneCommandArriveInMixedOrder() {
        try (EmulatedFabric fabric = one(drive("a").mdts(9));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 8);
            DmaBuffer data = driver.allocate(2 << 20);
            data.segment().fill((byte) 1);
            long list = NvmTest.prpList(driver, data);
            queue.post(NvmOpcode.READ, 1, data.busAddress(), list, MiniDriver.lba(0, 4096));
            queue.ring();
            boolean sawMixture = false;
            Completion done = null;
            for (int turn = 0; turn < 50 && done == null; turn++) {
                driver.turns(1);
                done = queue.poll();
                int arrived = 0;
                int prefix = 0;
                for (int page = 0; page < 512; page++) {
                    boolean here = data.segment().get(JAVA_BYTE, page * 4096L) == 0;
                    arrived += here ? 1 : 0;
                    prefix += here && prefix == page ? 1 : 0;
                }
                sawMixture |= arrived > prefix && arrived < 512;
            }
            assertThat(done).isNotNull();
            assertThat(sawMixture).isTrue();
        }
    }

    @Test
    void allQueuesGetTheirTurn() {
        try (EmulatedFabric fabric = one(drive("a").latencyNanos(5_000));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            long at = driver.allocate(4096).busAddress();
            List<Queue> queues = new ArrayList<>();
            for (int qid = 1; qid <= 4; qid++) {
                Queue queue = driver.ioQueue(qid, 64);
                for (int i = 0; i < 60; i++) {
                    queue.post(NvmOpcode.READ, 1, at, 0, MiniDriver.lba(i, 1));
                }
                queues.add(queue);
            }
            queues.forEach(Queue::ring);
            driver.turns(2);
            for (Queue queue : queues) {
                Completion first = queue.next();
                assertThat(first.sqid()).isEqualTo(queue.qid);
                assertThat(first.sqhd()).as("a burst of each, not all of one").isPositive();
            }
        }
    }

    @Test
    void nonsenseOnDoorbellsIsIgnoredAndReported() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 8);
            long at = driver.allocate(4096).busAddress();
            int tail = Reg.sqTailDoorbell(1, 0);
            int head = Reg.cqHeadDoorbell(1, 0);
            driver.bar.store32(tail, 8);
            driver.bar.store32(tail, -1);
            driver.bar.store32(tail, 0);
            driver.bar.store32(head, 1);
            driver.bar.store32(head, 8);
            driver.bar.store32(Reg.sqTailDoorbell(9, 0), 1);
            assertThat(fabric.controller("a").violations()).hasSize(6);
            assertThat(queue.io(NvmOpcode.READ, 0, 1, at, 0).status()).isZero();
            assertThat(fabric.controller("a").statistics().ioCommands()).isEqualTo(1);
        }
    }

    @Test
    void aTailThatMakesAFullQueueLookEmptyIsRefused() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            long at = driver.allocate(4096).busAddress();
            for (int i = 0; i < 3; i++) {
                queue.post(NvmOpcode.READ, 1, at, 0, MiniDriver.lba(i, 1));
            }
            queue.ring(); // three of four: full
            driver.bar.store32(Reg.sqTailDoorbell(1, 0), 0);
            assertThat(fabric.controller("a").violations())
                    .singleElement()
                    .asString()
                    .contains("submission queue 1 can't take 0");
            for (int i = 0; i < 3; i++) {
                assertThat(queue.next().status()).isZero();
            }
            driver.turns(50);
            assertThat(queue.poll()).as("a fourth command").isNull();
        }
    }

    @Test
    void identifierInUseIsAConflict() {
        try (EmulatedFabric fabric = one(drive("a").latencyNanos(100_000));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 8);
            long at = driver.allocate(4096).busAddress();
            queue.postRaw(NvmOpcode.READ, 5, 1, at, 0, MiniDriver.lba(0, 1));
            queue.postRaw(NvmOpcode.READ, 5, 1, at, 0, MiniDriver.lba(0, 1));
            queue.ring();
            assertThat(queue.next().code()).isEqualTo(Status.CID_CONFLICT);
            assertThat(queue.next().code()).isEqualTo(Status.SUCCESS);
            queue.postRaw(NvmOpcode.READ, 5, 1, at, 0, MiniDriver.lba(0, 1));
            queue.ring();
            assertThat(queue.next().code()).isEqualTo(Status.SUCCESS);
        }
    }

    @Test
    void deletingAQueueEndsWhatWaitsInIt() {
        try (EmulatedFabric fabric = one(drive("a").latencyNanos(50_000_000));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 8);
            long at = driver.allocate(4096).busAddress();
            for (int i = 0; i < 3; i++) {
                queue.post(NvmOpcode.READ, 1, at, 0, MiniDriver.lba(i, 1));
            }
            queue.ring();
            driver.turns(3);
            Completion deleted = driver.admin.run(AdminOpcode.DELETE_IO_SQ, 0, 0, 0, 1);
            assertThat(deleted.status()).isZero();
            for (int i = 0; i < 3; i++) {
                assertThat(queue.next().code()).isEqualTo(Status.SQ_DELETED);
            }
            assertThat(driver.admin.run(AdminOpcode.DELETE_IO_CQ, 0, 0, 0, 1).status()).isZero();
            assertThat(fabric.controller("a").statistics().inFlight()).isZero();
        }
    }

    @Test
    void deletingAQueueWhoseCompletionQueueIsFullEnds() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.new Queue(1, 16);
            assertThat(driver.createCq(1, 2, queue.cqBus).status()).isZero();
            assertThat(driver.createSq(1, 16, queue.sqBus, 1).status()).isZero();
            long at = driver.allocate(4096).busAddress();
            for (int i = 0; i < 10; i++) {
                queue.post(NvmOpcode.READ, 1, at, 0, MiniDriver.lba(i, 1));
            }
            queue.ring();
            driver.turns(50);
            assertThat(fabric.controller("a").statistics().inFlight()).isEqualTo(9);
            int cdw10 = AdminCommand.deleteQueueCdw10(1);
            assertThat(driver.admin.run(AdminOpcode.DELETE_IO_SQ, 0, 0, 0, cdw10).status())
                    .isZero();
            assertThat(fabric.controller("a").statistics().inFlight()).isZero();
        }
    }

    @Test
    void commandsOfADeletedQueueNeverTouchMemoryAgain() {
        try (EmulatedFabric fabric = one(drive("a").latencyNanos(1_000_000));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 8);
            DmaBuffer data = driver.allocate(4096);
            data.segment().fill((byte) 0x33);
            queue.post(NvmOpcode.READ, 1, data.busAddress(), 0, MiniDriver.lba(0, 8));
            queue.ring();
            driver.turns(2);
            assertThat(driver.admin.run(AdminOpcode.DELETE_IO_SQ, 0, 0, 0, 1).status()).isZero();
            driver.turns(1000);
            assertThat(data.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 0x33);
        }
    }

    @Test
    void latencyAndRateDelayCommandsByTheClock() {
        long rate = 512L * 1_000_000;
        try (EmulatedFabric fabric = one(drive("a").latencyNanos(300_000).bytesPerSecond(rate));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 64);
            long at = driver.allocate(4096).busAddress();
            long start = fabric.clock().nanoTime();
            queue.io(NvmOpcode.READ, 0, 1, at, 0);
            assertThat(fabric.clock().nanoTime() - start).isBetween(300_000L, 400_000L);
            start = fabric.clock().nanoTime();
            for (int i = 0; i < 50; i++) {
                queue.post(NvmOpcode.READ, 1, at, 0, MiniDriver.lba(8L * i, 8));
            }
            queue.ring();
            for (int i = 0; i < 50; i++) {
                assertThat(queue.next().status()).isZero();
            }
            // 50 commands of 8 blocks at a million blocks per second
            assertThat(fabric.clock().nanoTime() - start).isBetween(400_000L, 500_000L);
            assertThat(fabric.controller("a").statistics().meanInFlight()).isGreaterThan(5);
        }
    }

    @Test
    void statisticsSeeThePipeline() {
        try (EmulatedFabric fabric = one(drive("a").latencyNanos(50_000));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 16);
            long at = driver.allocate(4096).busAddress();
            for (int i = 0; i < 10; i++) {
                queue.post(NvmOpcode.READ, 1, at, 0, MiniDriver.lba(i, 1));
            }
            queue.ring();
            for (int i = 0; i < 10; i++) {
                queue.next();
            }
            ControllerStatistics statistics = fabric.controller("a").statistics();
            assertThat(statistics.maxInFlight()).isEqualTo(10);
            assertThat(statistics.turnsAtDepth(10)).isPositive();
            assertThat(statistics.nanosAtDepth(10)).isBetween(40_000L, 60_000L);
            assertThat(statistics.ioCommands(NvmOpcode.READ)).isEqualTo(10);
            assertThat(statistics.adminCommands(AdminOpcode.CREATE_IO_SQ)).isEqualTo(1);
            assertThat(statistics.failedCommands()).isZero();
        }
    }

    @Test
    void entriesCostExactlyTheirBytes() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 8);
            long at = driver.allocate(4096).busAddress();
            long before = fabric.traffic().orElseThrow().total().hostQueue();
            queue.io(NvmOpcode.READ, 0, 1, at, 0);
            assertThat(fabric.traffic().orElseThrow().total().hostQueue() - before)
                    .isEqualTo(Sqe.BYTES + 16);
        }
    }

    private static List<Integer> order(MiniDriver driver) {
        Queue queue = driver.ioQueue(1, 64);
        long at = driver.allocate(4096).busAddress();
        for (int i = 0; i < 32; i++) {
            queue.post(NvmOpcode.READ, 1, at, 0, MiniDriver.lba(i, 1));
        }
        queue.ring();
        List<Integer> cids = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            cids.add(queue.next().cid());
        }
        return cids;
    }

    private static List<Integer> sorted(int count) {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(i);
        }
        return all;
    }
}
