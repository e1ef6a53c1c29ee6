package dev.peerlane.copy.engine;

import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.planning.Geometry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the best cut of the memory while the copy runs: each try copies the next piece.
 *
 * <p>The first try uses the planner's cut, with as many slots as possible. If the rest takes less
 * than {@link #WORTH_NANOS} at its rate, that cut stays. Otherwise the slots are halved as long as
 * the rate is within 2 % of the best so far: slots that bring no rate only take memory, and make
 * commands queue before those of others. Then chunks of twice the length are tried, and again as
 * long as that is 2 % faster; if the first doubling was not, chunks of half the length with as many
 * bytes in all are tried. The winner is tried against the planner's cut once more, because an early
 * rate may be that of code that was not compiled yet. All tries end after a second at the latest.
 * Chunk length and slots that the user gave are kept.
 *
 * <p>The same rates lead to the same choice.
 */
final class Tuner {
    /** If the rest takes less time than this, tries cost more than they gain. */
    static final long WORTH_NANOS = 2_000_000_000L;

    private static final long BUDGET_NANOS = 1_000_000_000L;
    private static final double SAME = 0.98;
    private static final int LEAST_SLOTS = 2;

    private enum Phase {
        FIRST,
        FEWER_SLOTS,
        LONGER,
        SHORTER,
        AGAIN,
        DONE
    }

    private final Geometry most;
    private final boolean chunkIsGiven;
    private final boolean slotsAreGiven;
    private final int unitBytes;
    private final int maxChunkBytes;
    private final List<Receipt.Tried> tries = new ArrayList<>();
    private Phase phase = Phase.FIRST;
    private Geometry best;
    private Geometry current;
    private double bestRate;
    private double peak;
    private long spentNanos;

    /**
     * Creates a tuner.
     *
     * @param planned the planner's cut; no try takes more memory
     * @param options the user's choices
     * @param unitBytes the larger of the two block sizes
     * @param maxTransferBytes the smaller of the two sides' limits
     */
    Tuner(Geometry planned, CopyOptions options, int unitBytes, int maxTransferBytes) {
        most = planned;
        best = planned;
        current = planned;
        chunkIsGiven = options.chunkBytes() > 0;
        slotsAreGiven = options.slots() > 0;
        this.unitBytes = Math.max(unitBytes, Geometry.PAGE_BYTES);
        maxChunkBytes = Math.min(maxTransferBytes, Geometry.MAX_CHUNK_BYTES);
        if (chunkIsGiven && slotsAreGiven) {
            phase = Phase.DONE;
        }
    }

    /** Returns whether there is a cut left to try; {@link #geometry} returns it. */
    boolean tries() {
        return phase != Phase.DONE;
    }

    /** Returns the cut to try now, or the best one after the tries. */
    Geometry geometry() {
        return phase == Phase.DONE ? best : current;
    }

    /**
     * Returns a meter for {@link #geometry}. The first meter decides whether the rest is worth
     * tries; the one after the tries never stops.
     *
     * @param chunks number of chunks left
     * @param now the time of the clock
     */
    Meter meter(long chunks, long now) {
        return switch (phase) {
            case FIRST -> new Meter(current, chunks, Meter.COLD_NANOS, WORTH_NANOS, now);
            case DONE -> new Meter(best, chunks, 0, Long.MAX_VALUE, now);
            default -> new Meter(current, chunks, 0, 0, now);
        };
    }

    /** Returns the tries in order. */
    List<Receipt.Tried> tried() {
        return List.copyOf(tries);
    }

    /** Returns the duration of the tries, in nanoseconds. */
    long spentNanos() {
        return spentNanos;
    }

    /**
     * Takes the outcome of a try.
     *
     * @param bytesPerSecond its rate
     * @param nanos its whole duration
     */
    void took(double bytesPerSecond, long nanos) {
        tries.add(
                new Receipt.Tried(
                        current.chunkBytes(),
                        current.slots(),
                        current.readDepth(),
                        bytesPerSecond));
        spentNanos += nanos;
        peak = Math.max(peak, bytesPerSecond);
        boolean better =
                switch (phase) {
                    case FIRST -> true;
                    case FEWER_SLOTS -> bytesPerSecond >= SAME * peak;
                    case LONGER, SHORTER, AGAIN, DONE -> bytesPerSecond * SAME > bestRate;
                };
        if (better) {
            best = current;
            bestRate = bytesPerSecond;
        }
        // the next try takes no longer than this one, because it has no more slots
        boolean late = spentNanos + nanos > BUDGET_NANOS;
        Geometry next = late || bytesPerSecond == 0 ? null : after(better);
        if (next != null) {
            current = next;
        } else if (phase != Phase.AGAIN && !best.equals(most) && !late && bytesPerSecond > 0) {
            phase = Phase.AGAIN;
            current = most;
        } else {
            phase = Phase.DONE;
        }
    }

    /** Returns the next cut to try, or null. */
    private @Nullable Geometry after(boolean better) {
        if (phase == Phase.AGAIN) {
            return null;
        }
        if (phase == Phase.FIRST || phase == Phase.FEWER_SLOTS) {
            if (better && !slotsAreGiven && best.slots() / 2 >= LEAST_SLOTS) {
                phase = Phase.FEWER_SLOTS;
                return best.cut(best.chunkBytes(), best.slots() / 2);
            }
            if (chunkIsGiven) {
                return null;
            }
            phase = Phase.LONGER;
            Geometry longer = chunk(2 * best.chunkBytes());
            return longer != null ? longer : shorter();
        }
        if (phase == Phase.LONGER && !better) {
            return best.chunkBytes() > most.chunkBytes() ? null : shorter();
        }
        int bytes = best.chunkBytes();
        return better ? chunk(phase == Phase.LONGER ? 2 * bytes : bytes / 2) : null;
    }

    private @Nullable Geometry shorter() {
        phase = Phase.SHORTER;
        return chunk(best.chunkBytes() / 2);
    }

    /**
     * Returns a cut into chunks of another length: as many longer ones as before, or as many bytes
     * in shorter ones. Returns null if that is not possible.
     */
    private @Nullable Geometry chunk(int bytes) {
        if (bytes < unitBytes || bytes > maxChunkBytes) {
            return null;
        }
        long fit = Math.min(Geometry.MAX_SLOTS, most.sentinelOffset() / bytes);
        long wanted = (long) best.slots() * Math.max(1, best.chunkBytes() / bytes);
        long slots = slotsAreGiven ? most.slots() : Math.min(fit, wanted);
        return slots < LEAST_SLOTS || slots > fit ? null : best.cut(bytes, (int) slots);
    }
}
