package dev.peerlane.copy.engine;

import dev.peerlane.copy.planning.Geometry;

/**
 * Measures how fast chunks end while a copy runs, and tells when it has seen enough. The first
 * chunks, as many as fit into the source's queue, are the start and do not count.
 *
 * <p>At the start of a copy the code is cold, too: the virtual machine has compiled none of it, and
 * the rate can be a tenth of what it is 100 ms later. A meter for the start therefore waits that
 * long, and then until two successive windows have the same rate, for a second at most.
 */
final class Meter {
    /** How long the virtual machine takes to compile the loop, measured on a quiet machine. */
    static final long COLD_NANOS = 100_000_000L;

    private static final long LEAST_NANOS = 20_000_000L;
    private static final long MOST_NANOS = 200_000_000L;

    /** After this time a rate counts although it still changes. */
    private static final long SETTLED_NANOS = 1_000_000_000L;

    private static final double SAME = 0.95;
    private static final int ROUNDS = 2;

    private final long warmUp;
    private final long enough;
    private final long coldNanos;
    private final long worthChunksNanos;
    private final long chunks;
    private final long started;
    private boolean warm;
    private boolean off;
    private double rateBefore;
    private long first;
    private long firstNanos;
    private long last;
    private long lastNanos;

    /**
     * Starts a meter.
     *
     * @param geometry how the memory is cut
     * @param chunks number of chunks to copy
     * @param coldNanos the time at the start in which nothing counts, after which the rate must
     *     become steady; or 0
     * @param worthNanos if the rest takes less time than this at the measured rate, the copy runs
     *     on to its end; always with {@code Long.MAX_VALUE}
     * @param now the time of the clock
     */
    Meter(Geometry geometry, long chunks, long coldNanos, long worthNanos, long now) {
        warmUp = geometry.readDepth();
        enough = (long) ROUNDS * geometry.slots();
        this.chunks = chunks;
        this.coldNanos = coldNanos;
        worthChunksNanos = worthNanos;
        off = worthNanos == Long.MAX_VALUE;
        started = now;
        lastNanos = now;
    }

    /** Takes the number of chunks that have ended, and returns whether the rate is known. */
    boolean isOver(long now, long count) {
        if (count != last) {
            last = count;
            lastNanos = now;
            if (!warm && count >= warmUp && now - started >= coldNanos) {
                warm = true;
                open();
            }
        }
        if (off) {
            return false;
        }
        boolean measured = warm && now - firstNanos >= LEAST_NANOS && last - first >= enough;
        // so few chunks in that time are the device's doing, not that of cold code
        boolean slow = last < enough;
        if (!measured && now - started < (slow ? MOST_NANOS : coldNanos + MOST_NANOS)) {
            return false;
        }
        if (coldNanos > 0 && !slow && now - started < SETTLED_NANOS) {
            if (!measured) {
                return false;
            }
            if (isStillChanging()) {
                rateBefore = chunksPerSecond();
                open();
                return false;
            }
        }
        off = (chunks - count) * 1e9 < worthChunksNanos * chunksPerSecond();
        return !off;
    }

    private boolean isStillChanging() {
        double rate = chunksPerSecond();
        return Math.min(rate, rateBefore) < SAME * Math.max(rate, rateBefore);
    }

    /** Begins a window. */
    private void open() {
        first = last;
        firstNanos = lastNanos;
    }

    /**
     * Returns the rate of the last window, which lasts as long as the copy; 0 if no chunk ended.
     */
    double chunksPerSecond() {
        if (warm && last > first) {
            return (last - first) * 1e9 / (lastNanos - firstNanos);
        }
        return last == 0 || lastNanos == started ? 0 : last * 1e9 / (lastNanos - started);
    }
}
