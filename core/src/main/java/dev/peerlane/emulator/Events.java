package dev.peerlane.emulator;

import java.util.PriorityQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What will happen at which virtual time; what is due at one time happens as it was scheduled. */
final class Events {
    private record Event(long nanos, long number, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return nanos != other.nanos
                    ? Long.compare(nanos, other.nanos)
                    : Long.compare(number, other.number);
        }
    }

    private final PriorityQueue<Event> queue = new PriorityQueue<>();
    private @Nullable Consumer<String> sink;
    private long now;
    private long number;

    long now() {
        return now;
    }

    /** Schedules an action; never before now. */
    void at(long nanos, Runnable action) {
        queue.add(new Event(Math.max(nanos, now), number++, action));
    }

    /** Lets everything happen that is due up to {@code until}; returns whether anything was. */
    boolean advance(long until) {
        boolean happened = false;
        while (!queue.isEmpty() && queue.peek().nanos() <= until) {
            Event event = queue.remove();
            now = event.nanos();
            event.action().run();
            happened = true;
        }
        now = Math.max(now, until);
        return happened;
    }

    /** Returns when the next thing happens, or {@link Long#MAX_VALUE}. */
    long next() {
        return queue.isEmpty() ? Long.MAX_VALUE : queue.peek().nanos();
    }

    void clear() {
        queue.clear();
    }

    /** Says where the trace goes; null for nowhere. */
    void sink(@Nullable Consumer<String> to) {
        sink = to;
    }

    /** Returns whether somebody wants the trace: its words cost more than a packet. */
    boolean isTraced() {
        return sink != null;
    }

    void trace(String what) {
        if (sink != null) {
            sink.accept("%9d ns  %s".formatted(now, what));
        }
    }
}
