package dev.peerlane.copy.engine;

import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.planning.Geometry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds how to cut the memory while the copy already runs: each try is the next piece of the copy.
 *
 * <p>The first try is the planner's cut, with as many slots as there may be. If the rest takes less
 * than {@link #WORTH_NANOS} at its rate, it stays. Else the slots are halved as long as the rate is
 * within 2 % of the best one seen: what brings no rate only takes memory, and lets commands queue
 * before those of others. Then chunks of twice the length are tried, and again as long as that is 2
 * % faster; and if the first was not, as many bytes in chunks of half the length. Whatever won then
 * stands against the planner's cut once more, since a rate measured early may be that of code which
 * was not compiled yet. The end is after a second at the latest. What the user gave, chunk or
 * slots, is kept.
 *
 * <p>The same rates lead to the same choice.
 */
final class Tuner {
    /** A shorter rest would not earn what the tries cost. */
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
     * Starts it.
     *
     * @param planned the planner's cut; no try takes more memory
     * @param options what the user gave
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

    /** Returns whether there is something left to try: {@link #geometry} then. */
    boolean tries() {
        return phase != Phase.DONE;
    }

    /** Returns the cut to try now, or when the tries are over the best one. */
    Geometry geometry() {
        return phase == Phase.DONE ? best : current;
    }

    /**
     * Returns a meter for {@link #geometry}: the first one decides whether the rest is worth tries,
     * the one after the tries never stops.
     *
     * @param chunks how many are left
     * @param now the clock
     */
    Meter meter(long chunks, long now) {
        return switch (phase) {
            case FIRST -> new Meter(current, chunks, Meter.COLD_NANOS, WORTH_NANOS, now);
            case DONE -> new Meter(best, chunks, 0, Long.MAX_VALUE, now);
            default -> new Meter(current, chunks, 0, 0, now);
        };
    }

    /** Returns what was tried, in turn. */
    List<Receipt.Tried> tried() {
        return List.copyOf(tries);
    }

    /** Returns how long that took, in nanoseconds. */
    long spentNanos() {
        return spentNanos;
    }

    /**
     * Takes the outcome of a try.
     *
     * @param bytesPerSecond its rate
     * @param nanos how long it took in all
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
        // the next one takes as long again at most: it has no more slots
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

    /** Returns what to try next, or null. */
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

    /** Chunks of another length: as many as before, or of shorter ones as much; null if not. */
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
