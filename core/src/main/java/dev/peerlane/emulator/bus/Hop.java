package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.model.PacketModel;
import java.util.SplittableRandom;

/**
 * One direction of a link, with the queue of the port that sends on it. A packet holds a credit of
 * the link over which it came until it leaves the next queue. So a queue that stands still stops
 * the queues behind it, for each flow on its own.
 */
final class Hop implements Packet.Stage {
    private static final int WINDOW = 64;
    private static final int ODDS = 4;

    private final String name;
    private final PacketModel.Link link;
    private final boolean reorder;
    private final Events events;
    private final SplittableRandom random;
    private final PacketQueue queue = new PacketQueue();
    private final int[] used = new int[Packet.Flow.COUNT];
    private final Runnable sent = this::sent;
    private final Events.Line arrivals;
    private boolean sending;
    private long lastArrival;
    private long passings;

    Hop(
            String name,
            PacketModel.Link link,
            boolean reorder,
            Events events,
            SplittableRandom random) {
        this.name = name;
        this.link = link;
        this.reorder = reorder;
        this.events = events;
        this.arrivals = events.line();
        this.random = random;
    }

    String name() {
        return name;
    }

    /** Returns the number of packets that wait to be sent. */
    int waiting() {
        return queue.size();
    }

    /** Returns how often a packet left before one that had arrived earlier. */
    long passings() {
        return passings;
    }

    @Override
    public void accept(Packet packet) {
        queue.add(packet);
        pump();
    }

    private void pump() {
        if (sending || queue.isEmpty()) {
            return;
        }
        int at = pick();
        if (at < 0) {
            return;
        }
        Packet packet = queue.remove(at);
        passings += at > 0 ? 1 : 0;
        used[packet.flow.index]++;
        sending = true;
        long nanos = Math.round(packet.wireBytes() * 1e9 / link.bytesPerSecond());
        long jitter = random.nextLong(link.latencyNanos() / 4 + 1);
        long arrival = events.now() + nanos + link.latencyNanos() + jitter;
        lastArrival = Math.max(lastArrival, arrival);
        events.at(events.now() + nanos, sent);
        arrivals.at(lastArrival, packet);
        if (packet.at > 0) {
            packet.path.get(packet.at - 1).release(packet);
        }
    }

    private void sent() {
        sending = false;
        pump();
    }

    @Override
    public void arrive(Packet packet) {
        packet.at++;
        if (packet.at < packet.path.size()) {
            packet.path.get(packet.at).accept(packet);
        } else {
            if (events.isTraced()) {
                events.trace(packet + " over " + name + " arrived");
            }
            release(packet);
            packet.delivery.run();
        }
    }

    @Override
    public void release(Packet packet) {
        used[packet.flow.index]--;
        pump();
    }

    private boolean hasCredit(Packet.Flow flow) {
        return used[flow.index] < link.credits();
    }

    /**
     * Returns whether any waiting packet has a credit. Checked before the search, because a link
     * without credits is looked at for each packet, and most packets are of one flow.
     */
    private boolean anyHasCredit() {
        return (queue.waiting(Packet.Flow.POSTED) > 0 && hasCredit(Packet.Flow.POSTED))
                || (queue.waiting(Packet.Flow.NON_POSTED) > 0 && hasCredit(Packet.Flow.NON_POSTED))
                || (queue.waiting(Packet.Flow.COMPLETION) > 0 && hasCredit(Packet.Flow.COMPLETION));
    }

    /**
     * Returns the index of the first packet that may go; at random times, that of any packet that
     * the ordering rules let pass; -1 for none.
     */
    private int pick() {
        boolean free = reorder && random.nextInt(ODDS) == 0;
        int seen = 0;
        int picked = -1;
        int posted = -1; // the first posted write: nothing else holds back what came later
        int size = anyHasCredit() ? Math.min(queue.size(), WINDOW) : 0;
        for (int i = 0; i < size; i++) {
            Packet packet = queue.get(i);
            if (hasCredit(packet.flow)) {
                boolean passes = posted < 0 || passesFrom(posted, i);
                if (!free) {
                    return passes ? i : -1;
                }
                if (passes) {
                    seen++;
                    if (random.nextInt(seen) == 0) {
                        picked = i;
                    }
                }
            }
            if (posted < 0 && packet.flow == Packet.Flow.POSTED) {
                posted = i;
            }
        }
        return picked;
    }

    /**
     * Returns whether a packet may pass all packets before it, none of which before {@code first}
     * is posted.
     */
    private boolean passesFrom(int first, int at) {
        Packet packet = queue.get(at);
        if (!packet.idOrdered) {
            // it may pass either every posted write or none
            return packet.passes(queue.get(first)) != Packet.Passing.NO;
        }
        for (int i = first; i < at; i++) {
            if (packet.passes(queue.get(i)) == Packet.Passing.NO) {
                return false;
            }
        }
        return true;
    }
}
