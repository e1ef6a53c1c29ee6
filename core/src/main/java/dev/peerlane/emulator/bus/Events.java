package dev.peerlane.emulator.bus;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What will happen at which virtual time; what is due at one time happens as it was scheduled. A
 * binary heap in three arrays: packets schedule more than anything else here, and each only once.
 */
final class Events {
    private long[] times = new long[256];
    private long[] numbers = new long[256];
    private @Nullable Runnable[] actions = new Runnable[256];
    private int size;
    private @Nullable Consumer<String> sink;
    private long now;
    private long number;

    long now() {
        return now;
    }

    /** Schedules an action; never before now. */
    void at(long nanos, Runnable action) {
        if (size == times.length) {
            times = Arrays.copyOf(times, 2 * size);
            numbers = Arrays.copyOf(numbers, 2 * size);
            actions = Arrays.copyOf(actions, 2 * size);
        }
        long time = Math.max(nanos, now);
        int at = size++;
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            // of two at one time the one that is there already is first
            if (times[parent] <= time) {
                break;
            }
            move(parent, at);
            at = parent;
        }
        put(at, time, number++, action);
    }

    /** Lets everything happen that is due up to {@code until}; returns whether anything was. */
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

    /** Returns when the next thing happens, or {@link Long#MAX_VALUE}. */
    long next() {
        return size == 0 ? Long.MAX_VALUE : times[0];
    }

    void clear() {
        Arrays.fill(actions, 0, size, null);
        size = 0;
    }

    /** Sets where the trace goes; null for nowhere. */
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
