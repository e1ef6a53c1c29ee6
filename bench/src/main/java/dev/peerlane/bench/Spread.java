package dev.peerlane.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * The spread of repeated measurements.
 *
 * @param low the first quartile
 * @param median the median
 * @param high the third quartile
 */
record Spread(double low, double median, double high) {
    static Spread of(double... samples) {
        double[] sorted = samples.clone();
        Arrays.sort(sorted);
        return new Spread(at(sorted, 0.25), at(sorted, 0.5), at(sorted, 0.75));
    }

    /** Interpolates between two neighbours if the rank is not a whole number. */
    private static double at(double[] sorted, double part) {
        if (sorted.length == 0) {
            throw new IllegalArgumentException("no samples");
        }
        double place = part * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    /** Returns the text "median (low to high)". */
    String text() {
        return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", median, low, high);
    }
}
