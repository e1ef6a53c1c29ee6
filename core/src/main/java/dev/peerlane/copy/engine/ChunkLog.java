package dev.peerlane.copy.engine;

/**
 * Records which chunks are done, in bounded memory: all below {@link #low}, and a window of bits
 * above it. A chunk may start only inside the window. So a chunk that is retried for long holds the
 * others back before the window overflows.
 */
final class ChunkLog {
    static final int WINDOW = 1 << 13;

    private final long[] bits = new long[WINDOW / 64];
    private final long chunks;
    private long low;
    private long done;

    ChunkLog(long chunks) {
        this.chunks = chunks;
    }

    boolean mayStart(long chunk) {
        return chunk < chunks && chunk - low < WINDOW;
    }

    void done(long chunk) {
        if (chunk < low || chunk - low >= WINDOW || isDone(chunk)) {
            throw new IllegalStateException("chunk " + chunk + " is done twice or out of turn");
        }
        bits[word(chunk)] |= 1L << chunk;
        done++;
        while (low < chunks && isSet(low)) {
            bits[word(low)] &= ~(1L << low);
            low++;
        }
    }

    /** Returns the first chunk that is not done. */
    long low() {
        return low;
    }

    /** Returns the number of chunks that are done. */
    long count() {
        return done;
    }

    boolean complete() {
        return low == chunks;
    }

    boolean isDone(long chunk) {
        return chunk < low || (chunk - low < WINDOW && isSet(chunk));
    }

    private boolean isSet(long chunk) {
        return (bits[word(chunk)] & (1L << chunk)) != 0;
    }

    private static int word(long chunk) {
        return (int) (chunk >>> 6) & (WINDOW / 64 - 1);
    }
}
