package dev.peerlane.lab;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Decides when a guest has exceeded its time. On a busy machine a guest gets little processor time
 * and takes many times as long as on an idle one, so elapsed time is meaningless. The processor
 * time it has used counts, and whether it still produces output.
 */
final class GuestPatience {
    private final Duration limit;
    private final Duration processorTime;
    private long written = -1;
    private long writtenAt;

    /**
     * Creates a limit with nothing used.
     *
     * @param limit the time limit on an idle machine, and the limit on time without output
     * @param processors the number of the guest's processors
     */
    GuestPatience(Duration limit, int processors) {
        this.limit = limit;
        processorTime = limit.multipliedBy(processors);
    }

    /**
     * Returns the reason to end the guest, or null.
     *
     * @param nowNanos the current time
     * @param used the processor time used so far
     * @param writtenBytes the bytes of output so far
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
            return "it was silent for " + limit.toSeconds() + " s";
        }
        return null;
    }
}
