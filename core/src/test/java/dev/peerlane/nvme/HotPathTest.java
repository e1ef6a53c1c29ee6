package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.mem.Dma;
import dev.peerlane.spec.wire.Reg;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/**
 * Tests a port on a device that completes everything that the doorbell announces and does nothing
 * else.
 */
class HotPathTest {
    private static final int DEPTH = 31;

    /** Completes commands inside the doorbell write. */
    private static final class Loopback extends Bar {
        private long sq;
        private long cq;
        private int sqHead;
        private int cqTail;
        private int phase = 1;

        private final Doorbell sqTail =
                new Doorbell() {
                    @Override
                    public void ring(int tail) {
                        while (sqHead != tail) {
                            int cid = Dma.loadInt(sq + 64L * sqHead, 0) >>> 16;
                            sqHead = sqHead == DEPTH ? 0 : sqHead + 1;
                            long cqe = cq + 16L * cqTail;
                            Dma.storeInt(cqe, 8, 1 << 16 | sqHead);
                            Dma.storeIntRelease(cqe, 12, phase << 16 | cid);
                            cqTail = cqTail == DEPTH ? 0 : cqTail + 1;
                            phase ^= cqTail == 0 ? 1 : 0;
                        }
                    }
                };
        private final Doorbell cqHead =
                new Doorbell() {
                    @Override
                    public void ring(int head) {}
                };

        @Override
        public int index() {
            return 0;
        }

        @Override
        public long sizeBytes() {
            return 0x2000;
        }

        @Override
        public long pciAddress() {
            return 0;
        }

        @Override
        public int load32(long offset) {
            return 1;
        }

        @Override
        public void store32(long offset, int value) {}

        @Override
        public long load64(long offset) {
            return 1;
        }

        @Override
        public void store64(long offset, long value) {}

        @Override
        public Doorbell doorbell(long offset) {
            return offset == Reg.sqTailDoorbell(1, 0) ? sqTail : cqHead;
        }
    }

    private static final class Count extends Completions {
        private long completed;
        private long failed;

        @Override
        public void completed(int slot, int status) {
            completed++;
            failed += status == 0 ? 0 : 1;
        }
    }

    /** The part of a controller that a port needs if it is never stopped. */
    private record Around(Controller controller) implements NvmeBlockPort.Host {
        @Override
        public PciDevice device() {
            return controller.device();
        }

        @Override
        public DmaDomain dma() {
            return controller.dma();
        }

        @Override
        public boolean usesSgls() {
            return false;
        }

        @Override
        public void checkOwner() {}

        @Override
        public String abort(int sqid, int cid) {
            throw new AssertionError("nothing is aborted");
        }

        @Override
        public void retire(QueuePair q) {
            throw new AssertionError("nothing is retired");
        }

        @Override
        public String condition() {
            return BlockPort.READY;
        }

        @Override
        public void forget(NvmeBlockPort port) {}
    }

    private static void run(NvmeBlockPort port, Count count, int rounds) {
        for (int round = 0; round < rounds; round++) {
            for (int slot = 0; slot < DEPTH; slot++) {
                port.submitRead(slot, round & 511, 8);
            }
            port.ring();
            port.poll(DEPTH, count);
        }
    }

    @Test
    void commandsAllocateNothing() {
        FakeMachine m = Bench.withCmb(256);
        try (Controller c = Bench.open(m)) {
            c.requireCmb().enable(m.dma);
            Loopback device = new Loopback();
            Registers registers = new Registers(device, "loop", m.clock);
            QueuePair queue = new QueuePair(registers, m.dma, null, 0, 1, DEPTH);
            device.sq = queue.sqBusAddress();
            device.cq = queue.cqBusAddress();
            Namespace ns = c.namespace(1);
            try (NvmeBlockPort limits = ns.port(1);
                    PeerBuffer slots = c.requireCmb().allocate(DEPTH * 4096L, 4096)) {
                NvmeBlockPort port =
                        new NvmeBlockPort(new Around(c), ns.name(), 1, queue, limits.limits());
                port.attach(slots, 0, 4096, 4096, DEPTH);
                Count count = new Count();
                run(port, count, 2_000);
                ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
                long self = Thread.currentThread().threadId();
                long before = threads.getThreadAllocatedBytes(self);
                run(port, count, 2_000);
                long allocated = threads.getThreadAllocatedBytes(self) - before;
                assertThat(count.completed).isEqualTo(4_000L * DEPTH);
                assertThat(count.failed).isZero();
                assertThat(allocated).as("bytes for 62,000 commands").isLessThan(4096);
                assertThat(port.inFlight()).isZero();
            } finally {
                queue.free();
            }
        }
        Bench.assertNothingLeft(m);
    }
}
