package dev.peerlane.emulator.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Compares the queue of a port with a plain list. */
class PacketQueueTest {
    private static final int FIRST_RING = 64;

    private static Packet packet(long address) {
        return new Packet(Packet.Flow.POSTED, null, 0, 0, address, () -> {});
    }

    @Test
    void packetsTakenFromAnywhereLeaveTheOthersInOrder() {
        long seed = 21;
        SplittableRandom random = new SplittableRandom(seed);
        PacketQueue queue = new PacketQueue();
        List<Packet> model = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            boolean growing = step / 500 % 2 == 0;
            if (model.isEmpty() || random.nextInt(3) < (growing ? 2 : 1)) {
                Packet packet = packet(step);
                queue.add(packet);
                model.add(packet);
            } else {
                int at = random.nextInt(model.size());
                assertThat(queue.remove(at))
                        .as("seed %d, step %d", seed, step)
                        .isSameAs(model.remove(at));
            }
            assertThat(queue.size()).isEqualTo(model.size());
            assertThat(queue.isEmpty()).isEqualTo(model.isEmpty());
        }
        for (int at = 0; at < model.size(); at++) {
            assertThat(queue.get(at)).isSameAs(model.get(at));
        }
    }

    @Test
    void aFullRingThatHasWrappedGrowsInOrder() {
        PacketQueue queue = new PacketQueue();
        for (int i = 0; i < FIRST_RING; i++) {
            queue.add(packet(i));
        }
        for (int i = 0; i < FIRST_RING / 2; i++) {
            assertThat(queue.remove(0).address).isEqualTo(i);
        }
        for (int i = FIRST_RING; i < 3 * FIRST_RING; i++) {
            queue.add(packet(i));
        }
        for (int i = FIRST_RING / 2; i < 3 * FIRST_RING; i++) {
            assertThat(queue.remove(0).address).isEqualTo(i);
        }
        assertThat(queue.isEmpty()).isTrue();
    }

    @Test
    void thereIsNoPacketBehindTheLast() {
        PacketQueue queue = new PacketQueue();
        queue.add(packet(1));
        assertThatThrownBy(() -> queue.get(1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> queue.remove(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(queue.size()).isEqualTo(1);
    }
}
