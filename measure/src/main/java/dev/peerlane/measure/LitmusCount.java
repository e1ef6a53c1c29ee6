package dev.peerlane.measure;

import dev.peerlane.PeerlaneException;
import org.jspecify.annotations.Nullable;

/**
 * What was counted with one fence: the names of its components are those of the JSON document.
 *
 * @param fence which one
 * @param handOffs how many slots were handed on whose old bytes differed from the new ones
 * @param uncounted how many were handed on where nothing would have shown
 * @param stale how many of {@code handOffs} still held old bytes
 * @param upperBound the largest share of stale hand-offs that this speaks for, at 95 %; null if
 *     nothing was counted
 * @param seconds time of the fabric
 * @param stopped what ended it before its time, or null
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
