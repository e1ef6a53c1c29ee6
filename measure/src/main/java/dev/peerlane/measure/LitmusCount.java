package dev.peerlane.measure;

import dev.peerlane.PeerlaneException;
import org.jspecify.annotations.Nullable;

/**
 * The counts of one fence. The components have the names of the JSON document.
 *
 * @param fence the fence
 * @param handOffs number of hand-offs of slots whose old bytes differed from the new ones
 * @param uncounted number of hand-offs in which old bytes would not have shown
 * @param stale how many of {@code handOffs} still held old bytes
 * @param upperBound the upper bound of the share of stale hand-offs, with 95 % confidence; null if
 *     nothing was counted
 * @param seconds duration by the fabric's clock
 * @param stopped the cause that ended the count early, or null
 */
public record LitmusCount(
        String fence,
        long handOffs,
        long uncounted,
        long stale,
        @Nullable Double upperBound,
        double seconds,
        @Nullable PeerlaneException stopped) {
    static LitmusCount of(
            String fence,
            long handOffs,
            long uncounted,
            long stale,
            double seconds,
            @Nullable PeerlaneException stopped) {
        Double bound = handOffs == 0 ? null : ClopperPearson.upperBound(stale, handOffs);
        return new LitmusCount(fence, handOffs, uncounted, stale, bound, seconds, stopped);
    }
}
