package dev.peerlane.measure;

import java.util.List;

/**
 * The figures of a {@link Load}.
 *
 * @param address bus address of the memory
 * @param commands number of commands that ended in the measured time
 * @param bytes number of bytes that these commands moved
 * @param seconds the measured time, by the fabric's clock
 * @param cpuSeconds processor time of the thread in that time; on an emulated fabric it includes
 *     the devices' work
 * @param compilerSeconds time in which the virtual machine's compilers were at work, in threads of
 *     their own; if it is not small, the figure is not that of warm code
 * @param latencies latencies of these commands, from the doorbell to the completion
 * @param canaries number of words that had to change, or to be distinguished
 * @param voidReason the reason why the figures are void, or empty
 */
public record LoadResult(
        long address,
        long commands,
        long bytes,
        double seconds,
        double cpuSeconds,
        double compilerSeconds,
        Latencies latencies,
        int canaries,
        String voidReason) {

    /** Returns the rate; 0 if the result is void. */
    public double bytesPerSecond() {
        return voidReason.isEmpty() && seconds > 0 ? bytes / seconds : 0;
    }

    /** Returns the processor time per GiB in seconds; 0 if the result is void. */
    public double cpuSecondsPerGib() {
        return voidReason.isEmpty() && bytes > 0 ? cpuSeconds * (1L << 30) / bytes : 0;
    }

    /**
     * Latencies of commands in nanoseconds.
     *
     * @param mean their mean
     * @param points ascending percentiles, from the minimum to the maximum
     */
    public record Latencies(double mean, List<Point> points) {
        /** Copies the list. */
        public Latencies {
            points = List.copyOf(points);
        }

        /** Returns the latency at one of the listed percentiles; 0 if it is not listed. */
        public long at(double percentile) {
            return points.stream()
                    .filter(p -> p.percentile() == percentile)
                    .mapToLong(Point::nanos)
                    .findFirst()
                    .orElse(0);
        }
    }

    /**
     * A percentile: this share of the commands took at most this long.
     *
     * @param percentile 0 to 100
     * @param nanos the latency
     */
    public record Point(double percentile, long nanos) {}
}
