package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.tree.EmulatedFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A transaction layer packet in flight, and what happens where it arrives (PCIe 5.0, 2.1 and 2.4).
 */
final class Packet implements Runnable {
    /** The attribute bit of Relaxed Ordering. */
    static final int RELAXED = 1;

    /** The attribute bit of ID-based ordering. */
    static final int ID_ORDERED = 2;

    private static final int HEADER_BYTES = 24;

    /** The three flows of flow control; each has its own credits. */
    enum Flow {
        POSTED(0),
        NON_POSTED(1),
        COMPLETION(2);

        static final int COUNT = 3;
        final int index;

        Flow(int index) {
            this.index = index;
        }
    }

    /** Whether a packet may pass one that came before it. */
    enum Passing {
        NO,
        MAY,
        MUST
    }

    /** A queue on a packet's path, with the link that it sends on. */
    interface Stage {
        /** Queues a packet, and sends what may be sent. */
        void accept(Packet packet);

        /** Takes a packet that has come over the link. */
        void arrive(Packet packet);

        /** Returns the credit of the link that a packet held. */
        void release(Packet packet);
    }

    final Flow flow;
    final @Nullable EmulatedFunction requester;
    final boolean relaxed;
    final boolean idOrdered;
    final int payloadBytes;
    final long address;
    final Runnable delivery;
    List<? extends Stage> path = List.of();
    int at;

    /**
     * Creates a packet.
     *
     * @param requester the function that sends the request, or null for the host
     * @param attributes {@link #RELAXED} and {@link #ID_ORDERED}, or 0
     * @param address the bus address, for the trace
     * @param delivery what happens at the end of the path
     */
    Packet(
            Flow flow,
            @Nullable EmulatedFunction requester,
            int attributes,
            int payloadBytes,
            long address,
            Runnable delivery) {
        this.flow = flow;
        this.requester = requester;
        this.relaxed = (attributes & RELAXED) != 0;
        this.idOrdered = (attributes & ID_ORDERED) != 0;
        this.payloadBytes = payloadBytes;
        this.address = address;
        this.delivery = delivery;
    }

    /** Sends the packet through queues; it is delivered after the last one. */
    void sendAlong(List<? extends Stage> queues) {
        path = queues;
        queues.getFirst().accept(this);
    }

    /** Returns the bytes that the packet takes on a link. */
    int wireBytes() {
        return HEADER_BYTES + payloadBytes;
    }

    /**
     * Returns whether this packet may pass {@code earlier} in one queue (PCIe 5.0, table 2-40).
     * Every read has a single completion here, so the rule for completions of one request never
     * applies.
     */
    Passing passes(Packet earlier) {
        boolean unrelated = idOrdered && requester != earlier.requester;
        return switch (flow) {
            case POSTED ->
                    switch (earlier.flow) {
                        case POSTED -> relaxed || unrelated ? Passing.MAY : Passing.NO;
                        case NON_POSTED -> Passing.MUST;
                        case COMPLETION -> Passing.MAY;
                    };
            case NON_POSTED -> earlier.flow == Flow.POSTED && !unrelated ? Passing.NO : Passing.MAY;
            case COMPLETION ->
                    switch (earlier.flow) {
                        case POSTED -> relaxed || unrelated ? Passing.MAY : Passing.NO;
                        case NON_POSTED -> Passing.MUST;
                        case COMPLETION -> Passing.MAY;
                    };
        };
    }

    /** Arrives over the link on which the packet was sent. */
    @Override
    public void run() {
        path.get(at).arrive(this);
    }

    @Override
    public String toString() {
        String from = requester == null ? "host" : String.valueOf(requester.bdf());
        String attributes = (relaxed ? " RO" : "") + (idOrdered ? " IDO" : "");
        return "%-10s 0x%x of %s, %d bytes%s"
                .formatted(flow, address, from, payloadBytes, attributes);
    }
}
