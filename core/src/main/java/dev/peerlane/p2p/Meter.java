package dev.peerlane.p2p;

/**
 * Measures how fast chunks end while a copy runs, and says when it has seen enough. What ends
 * before as many chunks as fit into the source's queue is the start, and does not count.
 */
final class Meter {
    private static final long LEAST_NANOS = 20_000_000L;
    private static final long MOST_NANOS = 200_000_000L;
    private static final int ROUNDS = 2;

    private final long warmUp;
    private final long enough;
    private final long worthChunksNanos;
    private final long chunks;
    private final long started;
    private boolean warm;
    private boolean off;
    private long first;
    private long firstNanos;
    private long last;
    private long lastNanos;

    /**
     * Starts it.
     *
     * @param geometry how the memory is cut
     * @param chunks how many are to be copied
     * @param worthNanos if what is left takes less time at the rate that is found, it goes on to
     *     the end instead of stopping
     * @param now the clock
     */
    Meter(Geometry geometry, long chunks, long worthNanos, long now) {
        warmUp = geometry.readDepth();
        enough = (long) ROUNDS * geometry.slots();
        this.chunks = chunks;
        worthChunksNanos = worthNanos;
        started = now;
        lastNanos = now;
    }

    /** Takes the number of chunks that have ended; returns whether that is enough to know. */
    boolean isOver(long now, long count) {
        if (off) {
            return false;
        }
        if (count != last) {
            last = count;
            lastNanos = now;
            if (!warm && count >= warmUp) {
                warm = true;
                first = count;
                firstNanos = now;
            }
        }
        boolean seen = warm && now - firstNanos >= LEAST_NANOS && count - first >= enough;
        if (!seen && now - started < MOST_NANOS) {
            return false;
        }
        off = (chunks - count) * 1e9 < worthChunksNanos * chunksPerSecond();
        return !off;
    }

    /** Returns the rate; 0 if nothing ended. */
    double chunksPerSecond() {
        if (warm && last > first) {
            return (last - first) * 1e9 / (lastNanos - firstNanos);
        }
        return last == 0 || lastNanos == started ? 0 : last * 1e9 / (lastNanos - started);
    }
}
