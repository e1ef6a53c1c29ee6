package dev.peerlane.emulator.bus;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Packets in order of arrival, from which one near the front can be removed. The cost of removing
 * depends on its distance from the front, not on the length of the queue: a host that stores a lot
 * has a million packets waiting.
 */
final class PacketQueue {
    private @Nullable Packet[] ring = new Packet[64];
    private final int[] waiting = new int[Packet.Flow.COUNT];
    private int head;
    private int size;

    int size() {
        return size;
    }

    /** Returns the number of waiting packets of a flow. */
    int waiting(Packet.Flow flow) {
        return waiting[flow.index];
    }

    boolean isEmpty() {
        return size == 0;
    }

    void add(Packet packet) {
        if (size == ring.length) {
            @Nullable Packet[] larger = Arrays.copyOfRange(ring, head, head + 2 * size);
            System.arraycopy(ring, 0, larger, size - head, head);
            ring = larger;
            head = 0;
        }
        ring[index(size++)] = packet;
        waiting[packet.flow.index]++;
    }

    /** Returns the packet at an index from the front. */
    Packet get(int at) {
        return Objects.requireNonNull(ring[index(Objects.checkIndex(at, size))]);
    }

    /** Removes and returns the packet at an index; those before it move up. */
    Packet remove(int at) {
        Packet packet = get(at);
        for (int i = at; i > 0; i--) {
            ring[index(i)] = ring[index(i - 1)];
        }
        ring[head] = null;
        head = index(1);
        size--;
        waiting[packet.flow.index]--;
        return packet;
    }

    private int index(int at) {
        return head + at & ring.length - 1;
    }
}
