package dev.peerlane.lab;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Decides when a guest has had its time. On a busy machine a guest gets little of the processors,
 * and takes many times as long as on a quiet one, so the time that passed says nothing. What counts
 * is the processor time that it was given, and whether it still says something.
 */
final class GuestPatience {
    private final Duration limit;
    private final Duration processorTime;
    private long written = -1;
    private long writtenAt;

    /**
     * Starts with nothing used.
     *
     * @param limit how long the guest may take on a quiet machine, and how long it may say nothing
     * @param processors how many it has
     */
    GuestPatience(Duration limit, int processors) {
        this.limit = limit;
        processorTime = limit.multipliedBy(processors);
    }

    /**
     * Returns why the guest is to be ended, or null.
     *
     * @param nowNanos a clock
     * @param used the processor time that it has been given so far
     * @param writtenBytes how much it has said so far
     */
    @Nullable String over(long nowNanos, Duration used, long writtenBytes) {
        if (writtenBytes != written) {
            written = writtenBytes;
            writtenAt = nowNanos;
        }
        if (used.compareTo(processorTime) > 0) {
            return "it used more than " + processorTime.toSeconds() + " s of processor time";
        }
        if (nowNanos - writtenAt > limit.toNanos()) {
            return "it said nothing for " + limit.toSeconds() + " s";
        }
        return null;
    }
}
