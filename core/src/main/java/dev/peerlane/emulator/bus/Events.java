package dev.peerlane.emulator.bus;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The schedule of virtual time. Actions that are due at the same time run in the order in which
 * they were scheduled. A binary heap in three arrays holds the first action of each {@link Line},
 * and the actions that are in no line. Most actions are packets, which stay in lines.
 */
final class Events {
    /**
     * Actions at times that never decrease, such as the arrivals over one link. Only the first is
     * in the heap, so the size of the heap depends on the size of the fabric, not on the number of
     * packets.
     */
    final class Line implements Runnable {
        private long[] times = new long[16];
        private long[] numbers = new long[16];
        private @Nullable Runnable[] actions = new Runnable[16];
        private int head;
        private int size;

        private Line() {}

        /** Schedules an action, not before the one that was scheduled last. */
        void at(long nanos, Runnable action) {
            if (size == times.length) {
                grow();
            }
            int at = head + size & times.length - 1;
            times[at] = Math.max(nanos, now);
            numbers[at] = number++;
            actions[at] = action;
            if (size++ == 0) {
                insert(times[at], numbers[at], this);
            }
        }

        /** Runs the first action, after putting the next one into the heap. */
        @Override
        public void run() {
            Runnable first = Objects.requireNonNull(actions[head]);
            actions[head] = null;
            head = head + 1 & times.length - 1;
            if (--size > 0) {
                insert(times[head], numbers[head], this);
            }
            first.run();
        }

        private void grow() {
            times = unrolled(times, new long[2 * size]);
            numbers = unrolled(numbers, new long[2 * size]);
            actions = unrolled(actions, new Runnable[2 * size]);
            head = 0;
        }

        private <A> A unrolled(A ring, A larger) {
            System.arraycopy(ring, head, larger, 0, size - head);
            System.arraycopy(ring, 0, larger, size - head, head);
            return larger;
        }
    }

    private long[] times = new long[64];
    private long[] numbers = new long[64];
    private @Nullable Runnable[] actions = new Runnable[64];
    private int size;
    private final List<Line> lines = new ArrayList<>();
    private @Nullable Consumer<String> sink;
    private long now;
    private long number;

    long now() {
        return now;
    }

    /** Returns a new line. */
    Line line() {
        Line line = new Line();
        lines.add(line);
        return line;
    }

    /** Schedules an action; a time in the past counts as now. */
    void at(long nanos, Runnable action) {
        insert(Math.max(nanos, now), number++, action);
    }

    /** Runs all actions that are due up to {@code until}; returns whether there were any. */
    boolean advance(long until) {
        boolean happened = false;
        while (size > 0 && times[0] <= until) {
            now = times[0];
            remove().run();
            happened = true;
        }
        now = Math.max(now, until);
        return happened;
    }

    /** Returns the time of the next action, or {@link Long#MAX_VALUE}. */
    long next() {
        return size == 0 ? Long.MAX_VALUE : times[0];
    }

    void clear() {
        Arrays.fill(actions, 0, size, null);
        size = 0;
        for (Line line : lines) {
            Arrays.fill(line.actions, null);
            line.size = 0;
        }
    }

    /** Sets where the trace goes; null for nowhere. */
    void sink(@Nullable Consumer<String> to) {
        sink = to;
    }

    /** Returns whether a trace is wanted. Composing its text costs more than moving a packet. */
    boolean isTraced() {
        return sink != null;
    }

    void trace(String what) {
        if (sink != null) {
            sink.accept("%9d ns  %s".formatted(now, what));
        }
    }

    private void insert(long time, long order, Runnable action) {
        if (size == times.length) {
            times = Arrays.copyOf(times, 2 * size);
            numbers = Arrays.copyOf(numbers, 2 * size);
            actions = Arrays.copyOf(actions, 2 * size);
        }
        int at = size++;
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            if (isBefore(parent, time, order)) {
                break;
            }
            move(parent, at);
            at = parent;
        }
        put(at, time, order, action);
    }

    private Runnable remove() {
        Runnable first = Objects.requireNonNull(actions[0]);
        int last = --size;
        long time = times[last];
        long order = numbers[last];
        Runnable action = Objects.requireNonNull(actions[last]);
        actions[last] = null;
        if (last == 0) {
            return first;
        }
        int at = 0;
        for (int child = 1; child < last; child = 2 * at + 1) {
            if (child + 1 < last && isBefore(child + 1, times[child], numbers[child])) {
                child++;
            }
            if (!isBefore(child, time, order)) {
                break;
            }
            move(child, at);
            at = child;
        }
        put(at, time, order, action);
        return first;
    }

    private boolean isBefore(int at, long time, long order) {
        return times[at] < time || (times[at] == time && numbers[at] < order);
    }

    private void move(int from, int to) {
        times[to] = times[from];
        numbers[to] = numbers[from];
        actions[to] = actions[from];
    }

    private void put(int at, long time, long order, Runnable action) {
        times[at] = time;
        numbers[at] = order;
        actions[at] = action;
    }
}
