package dev.peerlane.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the driver's commands on a drive that is served on the same thread. */
class ServedCommandsTest {
    private static final String SHARE = "peerlane.share";
    private static final String SECOND =
            "what escapes nowhere is known to the second compiler, which ./dev test leaves out";

    private static final int DEPTH = 16;
    private static final long TIMEOUT_NANOS = 5_000_000_000L;

    /**
     * Number of measurements, of which the lowest counts, since a compilation allocates in one
     * only.
     */
    private static final int ROUNDS = 5;

    @TempDir private Path folder;
    private Server server;
    private VfioUserFabric fabric;
    private Controller controller;

    private static final class Count extends Completions {
        private long completed;
        private long failed;

        @Override
        public void completed(int slot, int status) {
            completed++;
            failed += status == 0 ? 0 : 1;
        }
    }

    @BeforeEach
    void serve() {
        DriveModel drive =
                DriveModel.named("a")
                        .memory(8 << 20, 512)
                        .cmb(CmbModel.of(1 << 20))
                        .sgls(DriveModel.Sgls.NONE)
                        .build();
        server = Server.open(FabricModel.builder().drive(drive).build(), folder, note -> {});
        Clock clock =
                new Clock() {
                    @Override
                    public long nanoTime() {
                        return System.nanoTime();
                    }

                    @Override
                    public void turn() {
                        server.turn();
                    }
                };
        fabric = VfioUserFabric.open(server.sockets(), clock, TIMEOUT_NANOS);
        controller =
                Controller.open(fabric, fabric.locators().getFirst(), ControllerOptions.DEFAULTS);
    }

    @AfterEach
    void stop() {
        controller.close();
        fabric.close();
        server.close();
    }

    /**
     * Parameters: offset of the data in memory, and length. Data of more than two pages needs a PRP
     * list.
     */
    @ParameterizedTest
    @CsvSource({"0, 12288", "4, 12288", "2048, 65536", "512, 131072", "4092, 130560"})
    void dataOfMoreThanTwoPagesGoesToThePagesOfItsPrpList(int offset, int bytes) {
        long seed = 31L * offset + bytes;
        Namespace ns = controller.namespace(1);
        int room = bytes + 2 * 4096;
        try (DmaBuffer from = fabric.dma().allocate(room);
                DmaBuffer to = fabric.dma().allocate(room)) {
            SplittableRandom random = new SplittableRandom(seed);
            for (int at = 0; at < room; at += 8) {
                from.segment().set(ValueLayout.JAVA_LONG, at, random.nextLong());
            }
            to.segment().fill((byte) 0x5a);
            ns.write(from, offset, 7, bytes / 512);
            ns.read(to, offset, 7, bytes / 512);
            assertThat(
                            MemorySegment.mismatch(
                                    from.segment(),
                                    offset,
                                    offset + bytes,
                                    to.segment(),
                                    offset,
                                    offset + bytes))
                    .as("first byte that differs, seed %d", seed)
                    .isEqualTo(-1);
            // nothing around the data is written
            for (int at = 0; at < room; at++) {
                if (at < offset || at >= offset + bytes) {
                    assertThat(to.segment().get(ValueLayout.JAVA_BYTE, at))
                            .as("byte %d", at)
                            .isEqualTo((byte) 0x5a);
                }
            }
        }
    }

    private void run(NvmeBlockPort port, Count count, int slotBlocks, int rounds) {
        for (int round = 0; round < rounds; round++) {
            for (int slot = 0; slot < DEPTH; slot++) {
                port.submitRead(slot, slot * 32L, slotBlocks);
            }
            port.ring();
            int done = 0;
            while (done < DEPTH) {
                server.turn();
                done += port.poll(DEPTH, count);
            }
        }
    }

    private static long allocated() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return threads.getThreadAllocatedBytes(Thread.currentThread().threadId());
    }

    @ParameterizedTest
    @CsvSource({"4096, true", "16384, true", "4096, false", "65536, false"})
    @DisabledIfSystemProperty(named = SHARE, matches = "[2-9]", disabledReason = SECOND)
    void commandsAllocateNothingInDriverAndServer(int slotBytes, boolean inCmb) {
        controller.requireCmb().enable(fabric.dma());
        long bytes = (long) DEPTH * slotBytes;
        try (PeerBuffer slots =
                        inCmb
                                ? controller.requireCmb().allocate(bytes, 4096)
                                : new HostMemory(fabric.dma()).allocate(bytes, 4096);
                NvmeBlockPort port = controller.namespace(1).port(DEPTH)) {
            port.attach(slots, 0, slotBytes, slotBytes, DEPTH);
            Count count = new Count();
            run(port, count, slotBytes / 512, 1_000);
            long least = Long.MAX_VALUE;
            for (int i = 0; i < ROUNDS; i++) {
                long before = allocated();
                run(port, count, slotBytes / 512, 1_000);
                least = Math.min(least, allocated() - before);
            }
            assertThat(count.failed).isZero();
            assertThat(count.completed).isEqualTo((ROUNDS + 1) * 1_000L * DEPTH);
            assertThat(least).as("bytes for 16,000 commands").isLessThan(4096);
        }
    }

    @Test
    @DisabledIfSystemProperty(named = SHARE, matches = "[2-9]", disabledReason = SECOND)
    void turnsAllocateNothingWhileNoRequestArrives() {
        long least = Long.MAX_VALUE;
        // a busy machine compiles late, and uncompiled code allocates
        for (int round = 0; round < 100 && least >= 4096; round++) {
            long before = allocated();
            for (int i = 0; i < 200_000; i++) {
                server.turn();
            }
            least = Math.min(least, allocated() - before);
        }
        // a round looks at the sockets 3125 times, so an object in each look would be 50,000 bytes
        assertThat(least).as("bytes for 200,000 turns").isLessThan(4096);
    }
}
