package dev.peerlane.cli.bench;

import dev.peerlane.Extent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to measure.
 *
 * @param chunkBytes of the matrix, or 0
 * @param depth of the matrix and the sweep of sizes
 * @param sizes of the sweep, or empty for powers of two
 * @param depths of the sweep
 * @param nanos of each cell
 * @param scratch blocks that may be overwritten, or null
 * @param anyRoute whether ways that are not known to work are tried
 * @param seed of the canaries
 */
record BenchWish(
        int chunkBytes,
        int depth,
        List<Integer> sizes,
        List<Integer> depths,
        Sweep sweep,
        long nanos,
        @Nullable Extent scratch,
        boolean anyRoute,
        long seed) {
    /** Which ways have sweeps. */
    enum Sweep {
        NONE,
        FIRST,
        ALL
    }
}
