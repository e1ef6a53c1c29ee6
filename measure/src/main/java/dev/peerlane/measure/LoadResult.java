package dev.peerlane.measure;

import java.util.List;

/**
 * What a {@link Load} did.
 *
 * @param address of the memory on the bus
 * @param commands that ended while it was measured
 * @param bytes that they moved
 * @param seconds how long it was measured, by the fabric's clock
 * @param cpuSeconds processor time of the thread meanwhile; on an emulated fabric with the devices'
 *     own work
 * @param compilerSeconds time in which the virtual machine's compilers were at work meanwhile, in
 *     threads of their own: where it is not small, the figure is not that of warm code
 * @param latencies of those commands, from the doorbell to the completion
 * @param canaries how many words had to change, or to be told apart
 * @param voidReason why the figures say nothing, or empty
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

    /** Returns the rate; 0 if it is void. */
    public double bytesPerSecond() {
        return voidReason.isEmpty() && seconds > 0 ? bytes / seconds : 0;
    }

    /** Returns processor time for a GiB in seconds; 0 if it is void. */
    public double cpuSecondsPerGib() {
        return voidReason.isEmpty() && bytes > 0 ? cpuSeconds * (1L << 30) / bytes : 0;
    }

    /**
     * Times of commands in nanoseconds.
     *
     * @param mean their mean
     * @param points at rising percentiles, from the least to the greatest
     */
    public record Latencies(double mean, List<Point> points) {
        /** Keeps its own copy of the list. */
        public Latencies {
            points = List.copyOf(points);
        }

        /** Returns the time at one of the percentiles of the points; 0 if it is none of them. */
        public long at(double percentile) {
            return points.stream()
                    .filter(p -> p.percentile() == percentile)
                    .mapToLong(Point::nanos)
                    .findFirst()
                    .orElse(0);
        }
    }

    /**
     * As many commands took this long at most.
     *
     * @param percentile 0 to 100
     * @param nanos the time
     */
    public record Point(double percentile, long nanos) {}
}
