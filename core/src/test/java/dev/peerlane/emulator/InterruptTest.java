package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.one;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Reg;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests MSI-X: the table, pending bits, masks and completion queues as specified. */
class InterruptTest {
    private static final int ENABLE = 1 << 15;
    private static final int FUNCTION_MASK = 1 << 14;
    private static final int VECTOR = 3;

    /** A drive with MSI-X on and one I/O queue with a vector. Interrupts are added to a list. */
    private static final class Machine implements AutoCloseable {
        final EmulatedFabric fabric = one(drive("a"));
        final MiniDriver driver = MiniDriver.up(fabric, "a");
        final ConfigSpace config = driver.device.config();
        final int capability = config.capability(ConfigSpace.CAP_MSIX).orElseThrow();
        final int barIndex = config.load32(capability + 4) & 7;
        final Bar bar = driver.device.bar(barIndex);
        final int pendingBits = config.load32(capability + 8) & ~7;
        final List<Integer> told = new ArrayList<>();
        final long data = driver.allocate(4096).busAddress();

        void receive() {
            fabric.controller("a").interruptReceiver(told::add);
        }

        void control(int bits) {
            config.store16(capability + 2, bits);
        }

        void mask(int vector, boolean on) {
            bar.store32(16L * vector + 12, on ? 1 : 0);
        }

        Queue queue(int qid, boolean interrupts, int vector) {
            Queue queue = driver.new Queue(qid, 16);
            Completion cq =
                    driver.admin.run(
                            AdminOpcode.CREATE_IO_CQ,
                            0,
                            queue.cqBus,
                            0,
                            AdminCommand.createQueueCdw10(qid, 16),
                            AdminCommand.createCqCdw11(true, interrupts, vector));
            assertThat(cq.status()).isZero();
            assertThat(driver.createSq(qid, 16, queue.sqBus, qid).status()).isZero();
            told.clear();
            return queue;
        }

        void read(Queue queue, int commands) {
            for (int i = 0; i < commands; i++) {
                queue.post(NvmOpcode.READ, 1, data, 0, MiniDriver.lba(i, 1));
            }
            queue.ring();
            driver.turns(100);
        }

        int take(Queue queue) {
            int taken = 0;
            while (queue.poll() != null) {
                taken++;
            }
            queue.ringHead();
            return taken;
        }

        boolean isPending(int vector) {
            return (bar.load64(pendingBits + vector / 64 * 8L) >>> vector & 1) != 0;
        }

        @Override
        public void close() {
            driver.close();
            fabric.close();
        }
    }

    @Test
    void capabilityHasVectorsTableAndPendingBitsInABarOfTheirOwn() {
        try (Machine m = new Machine()) {
            assertThat(m.config.load16(m.capability + 2)).isEqualTo(16);
            assertThat(m.barIndex).isEqualTo(4);
            assertThat(m.config.load32(m.capability + 8) & 7).isEqualTo(4);
            assertThat(m.pendingBits).isGreaterThanOrEqualTo(17 * 16);
            assertThat(m.bar.sizeBytes()).isGreaterThanOrEqualTo(m.pendingBits + 8L);
            m.bar.store64(16 * 5, 0x1234_5678_fee0_1004L);
            m.bar.store32(16 * 5 + 8, 0x4041);
            assertThat(m.bar.load64(16 * 5)).isEqualTo(0x1234_5678_fee0_1004L);
            assertThat(m.bar.load32(16 * 5 + 8)).isEqualTo(0x4041);
            assertThat(m.bar.load32(16 * 5 + 12)).as("masked until software unmasks").isOne();
            m.bar.store64(m.pendingBits, -1);
            assertThat(m.bar.load64(m.pendingBits)).as("read only").isZero();
        }
    }

    @Test
    void tableGoesToAnotherBarWhereTheCmbHasTheUsualOne() {
        CmbModel cmb = CmbModel.of(1 << 20).withPlace(4, 4096, 0, 0);
        try (EmulatedFabric fabric = one(drive("a").cmb(cmb));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            ConfigSpace config = driver.device.config();
            int capability = config.capability(ConfigSpace.CAP_MSIX).orElseThrow();
            assertThat(config.load32(capability + 4)).isEqualTo(2);
            assertThat(driver.device.bar(2).load32(12)).isOne();
        }
    }

    @Test
    void batchOfCompletionsIsOneInterruptOfTheQueuesVector() {
        try (Machine m = new Machine()) {
            m.receive();
            m.control(ENABLE);
            m.mask(VECTOR, false);
            Queue queue = m.queue(1, true, VECTOR);
            m.read(queue, 5);
            assertThat(m.told).as("at most one a turn, none lost").contains(VECTOR);
            assertThat(m.told.size()).isLessThan(5);
            assertThat(m.take(queue)).isEqualTo(5);
            m.told.clear();
            m.driver.turns(100);
            assertThat(m.told).as("nothing new, nothing told").isEmpty();
            m.read(queue, 1);
            assertThat(m.told).containsExactly(VECTOR);
        }
    }

    @Test
    void messageIsAStoreOfItsDataBehindTheCompletion() {
        try (Machine m = new Machine()) {
            DmaBuffer mailbox = m.driver.allocate(4096);
            m.bar.store64(16 * VECTOR, mailbox.busAddress() + 64);
            m.bar.store32(16 * VECTOR + 8, 0xabcd);
            m.mask(VECTOR, false);
            m.control(ENABLE);
            Queue queue = m.queue(1, true, VECTOR);
            m.read(queue, 1);
            assertThat(mailbox.segment().get(ValueLayout.JAVA_INT, 64)).isEqualTo(0xabcd);
            assertThat(mailbox.segment().get(ValueLayout.JAVA_INT, 68)).isZero();
            assertThat(m.take(queue)).isOne();
        }
    }

    @ParameterizedTest
    @CsvSource({"true, false", "false, true"})
    void maskedVectorPendsAndIsToldOnceWhenTheMaskGoes(boolean vector, boolean function) {
        try (Machine m = new Machine()) {
            m.receive();
            m.control(ENABLE | (function ? FUNCTION_MASK : 0));
            m.mask(VECTOR, vector);
            Queue queue = m.queue(1, true, VECTOR);
            m.read(queue, 4);
            assertThat(m.told).isEmpty();
            assertThat(m.isPending(VECTOR)).isTrue();
            assertThat(m.isPending(VECTOR - 1)).isFalse();
            m.control(ENABLE);
            m.mask(VECTOR, false);
            assertThat(m.told).containsExactly(VECTOR);
            assertThat(m.isPending(VECTOR)).isFalse();
            assertThat(m.take(queue)).isEqualTo(4);
        }
    }

    @Test
    void pendingBitClearsWhenTheHostHasTakenAllEntries() {
        try (Machine m = new Machine()) {
            m.receive();
            m.control(ENABLE);
            Queue one = m.queue(1, true, VECTOR);
            Queue other = m.queue(2, true, VECTOR);
            m.read(one, 2);
            m.read(other, 2);
            m.take(one);
            assertThat(m.isPending(VECTOR)).as("the other queue has entries").isTrue();
            m.take(other);
            assertThat(m.isPending(VECTOR)).isFalse();
            m.mask(VECTOR, false);
            assertThat(m.told).isEmpty();
        }
    }

    @Test
    void queueWithoutInterruptsSendsNoMessage() {
        try (Machine m = new Machine()) {
            m.receive();
            m.control(ENABLE);
            m.mask(VECTOR, false);
            Queue queue = m.queue(1, false, VECTOR);
            m.read(queue, 3);
            assertThat(m.told).isEmpty();
            assertThat(m.isPending(VECTOR)).isFalse();
            assertThat(m.take(queue)).isEqualTo(3);
        }
    }

    @Test
    void nothingIsSentOrPendingWhileMsixIsOff() {
        try (Machine m = new Machine()) {
            m.receive();
            m.mask(VECTOR, false);
            Queue queue = m.queue(1, true, VECTOR);
            m.read(queue, 3);
            m.control(ENABLE);
            m.driver.turns(10);
            assertThat(m.told).isEmpty();
            assertThat(m.isPending(VECTOR)).isFalse();
        }
    }

    @Test
    void adminQueueHasVectorZero() {
        try (Machine m = new Machine()) {
            m.receive();
            m.control(ENABLE);
            m.mask(0, false);
            assertThat(m.driver.identify(1, 0, m.data).status()).isZero();
            m.driver.turns(10);
            assertThat(m.told).containsExactly(0);
        }
    }

    @ParameterizedTest
    @CsvSource({"16, 0", "17, 0x108", "65535, 0x108"})
    void vectorBeyondTheTableIsRefused(int vector, String status) {
        try (Machine m = new Machine()) {
            Queue queue = m.driver.new Queue(1, 16);
            Completion cq =
                    m.driver.admin.run(
                            AdminOpcode.CREATE_IO_CQ,
                            0,
                            queue.cqBus,
                            0,
                            AdminCommand.createQueueCdw10(1, 16),
                            AdminCommand.createCqCdw11(true, true, vector));
            assertThat(cq.code()).isEqualTo(Integer.decode(status));
            assertThat(Status.INVALID_INTERRUPT_VECTOR).isEqualTo(0x108);
        }
    }

    @Test
    void controllerResetForgetsWhatWasPendingAndKeepsTheTable() {
        try (Machine m = new Machine()) {
            m.receive();
            m.control(ENABLE);
            Queue queue = m.queue(1, true, VECTOR);
            m.mask(5, false);
            m.read(queue, 1);
            assertThat(m.isPending(VECTOR)).isTrue();
            m.driver.bar.store32(Reg.CC, 0);
            assertThat(m.driver.awaitCsts(1, 0)).isTrue();
            assertThat(m.isPending(VECTOR)).isFalse();
            assertThat(m.bar.load32(16 * 5 + 12)).isZero();
            assertThat(m.config.load16(m.capability + 2) & ENABLE).isNotZero();
        }
    }

    @Test
    void functionLevelResetMasksAllVectorsAndTurnsMsixOff() {
        try (Machine m = new Machine()) {
            m.control(ENABLE | FUNCTION_MASK);
            m.mask(VECTOR, false);
            m.bar.store32(16 * VECTOR + 8, 77);
            m.driver.device.reset();
            assertThat(m.config.load16(m.capability + 2)).isEqualTo(16);
            assertThat(m.bar.load32(16 * VECTOR + 12)).isOne();
            assertThat(m.bar.load32(16 * VECTOR + 8)).isZero();
        }
    }
}
