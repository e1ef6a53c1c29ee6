package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.watch.BusWatch;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.Direction;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that an observer of the bus sees, over packets, what reaches memory, and when. */
class PacketWatchTest {
    private static final int RELAXED_ORDERING = 1 << 4;
    private static final PacketModel.Link SLOW = new PacketModel.Link(2_000, 1_000_000_000L, 2);

    /** Records completions, and data of I/O commands that moves. */
    static class Order implements BusWatch {
        private final List<String> order = new ArrayList<>();

        List<String> order() {
            return order;
        }

        @Override
        public void moved(
                Bdf initiator,
                @Nullable Bdf owner,
                long address,
                long bytes,
                Direction direction,
                boolean ioData) {
            if (ioData) {
                order.add(direction.word() + (owner == null ? "" : " of a peer"));
            }
        }

        @Override
        public void stored(Bdf controller, long offset, long value, int width) {}

        @Override
        public void shadowed(Bdf controller, long offset, int value) {
            order.add("doorbell %xh: %d".formatted(offset, value));
        }

        @Override
        public void fetched(Bdf controller, int qid, long address, MemorySegment sqe) {}

        @Override
        public void posted(Bdf controller, long address, MemorySegment cqe) {
            order.add("end");
        }

        @Override
        public void reset(Bdf controller) {}

        @Override
        public void happens(Fault fault) {}
    }

    private static FabricModel.Builder slow() {
        PacketModel packets = PacketModel.DEFAULTS.withMaxPayloadBytes(256);
        return TestFabrics.virtual().packets(packets.withLinks(SLOW, Map.of()));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 32})
    void aWriteThatCanNotReadAllOfItsDataEndsWhenTheRestHasArrived(int pages) {
        try (EmulatedFabric fabric =
                        new EmulatedFabric(slow().drive(TestFabrics.drive("a").build()).build());
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            MiniDriver.Queue queue = driver.ioQueue(1, 4);
            DmaBuffer data = driver.allocate(4096L * pages);
            Order watch = new Order();
            fabric.watch(watch);
            long hole = data.busAddress() + (1L << 30);
            long rest = pages == 2 ? data.busAddress() + 4096 : NvmTest.prpList(driver, data);
            var ended = queue.io(NvmOpcode.WRITE, 0, 8 * pages, hole, rest);
            assertThat(ended.code()).isEqualTo(Status.DATA_TRANSFER_ERROR);
            fabric.clock().await(() -> false, 1_000_000);
            assertThat(watch.order).contains("read").last().isEqualTo("end");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPeerWriteThatVanishesHasReachedNoMemory(boolean packets) {
        FabricModel.Builder model =
                slow().drive(TestFabrics.drive("a").build()).drive(TestFabrics.drive("b").build());
        if (!packets) {
            model.packets(null);
        }
        try (EmulatedFabric fabric =
                        new EmulatedFabric(
                                model.peerWrites(FabricModel.PeerWrites.VANISH).build());
                MiniDriver a = MiniDriver.up(fabric, "a");
                MiniDriver b = MiniDriver.up(fabric, "b")) {
            MiniDriver.Queue queue = a.ioQueue(1, 4);
            try (PeerMapping window = fabric.dma().mapPeer(b.device, b.device.bar(2), 0, MIB)) {
                TestFabrics.enableCmb(b, window.busAddress());
                Order watch = new Order();
                fabric.watch(watch);
                assertThat(queue.io(NvmOpcode.READ, 0, 8, window.busAddress(), 0).code()).isZero();
                fabric.clock().await(() -> false, 1_000_000);
                assertThat(watch.order).containsExactly("end");
                assertThat(fabric.traffic().orElseThrow().of(a.device.bdf()).peerWritten())
                        .isEqualTo(4096);
            }
        }
    }

    @Test
    void aCompletionNeverPassesTheDataBeforeItThoughThatIsRelaxed() {
        boolean mixed = false;
        for (long seed = 1; seed <= 30; seed++) {
            PacketModel packets = PacketModel.DEFAULTS.withOrdering(true, false);
            FabricModel.Builder model = TestFabrics.virtual().packets(packets).seed(seed);
            try (EmulatedFabric fabric =
                            new EmulatedFabric(
                                    model.drive(TestFabrics.drive("a").build()).build());
                    MiniDriver driver = MiniDriver.up(fabric, "a")) {
                ConfigSpace config = driver.device.config();
                int control = config.capability(ConfigSpace.CAP_PCI_EXPRESS).orElseThrow() + 8;
                config.store16(control, config.load16(control) | RELAXED_ORDERING);
                byte[] medium = fabric.controller("a").medium(1);
                new SplittableRandom(seed).nextBytes(medium);
                fabric.controller("a").medium(1, medium);
                MiniDriver.Queue queue = driver.ioQueue(1, 4);
                DmaBuffer data = driver.allocate(8192);
                List<Long> order = new ArrayList<>();
                fabric.watch(
                        new Order() {
                            @Override
                            public void moved(
                                    Bdf initiator,
                                    @Nullable Bdf owner,
                                    long address,
                                    long bytes,
                                    Direction direction,
                                    boolean ioData) {
                                if (ioData) {
                                    order.add(address);
                                }
                            }
                        });
                long at = data.busAddress();
                assertThat(queue.io(NvmOpcode.READ, 0, 16, at, at + 4096).status()).isZero();
                assertThat(data.segment().asSlice(0, 8192).toArray(ValueLayout.JAVA_BYTE))
                        .as("seed %d", seed)
                        .isEqualTo(Arrays.copyOf(medium, 8192));
                mixed |= !order.stream().sorted().toList().equals(order);
            }
        }
        assertThat(mixed).as("some data passed other data").isTrue();
    }
}
