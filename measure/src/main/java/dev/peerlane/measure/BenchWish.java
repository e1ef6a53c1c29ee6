package dev.peerlane.measure;

import dev.peerlane.Extent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Bench} measures.
 *
 * @param matrix the load in every direction
 * @param sweeps the loads by size and by depth
 * @param nanos the measured time of each figure
 * @param scratch blocks that may be overwritten, or null
 * @param routes the routes to try
 * @param seed the seed of the canaries
 */
public record BenchWish(
        Matrix matrix,
        Sweeps sweeps,
        long nanos,
        @Nullable Extent scratch,
        Routes routes,
        long seed) {

    /**
     * The load in every direction.
     *
     * @param chunkBytes bytes of a transfer, or 0 for the default
     * @param depth number of commands in flight, also in the sweep of sizes
     */
    public record Matrix(int chunkBytes, int depth) {}

    /** Which loads have sweeps. */
    public enum Swept {
        /** No load. */
        NONE,
        /** The first load between two devices, and those that belong to it. */
        FIRST,
        /** All loads. */
        ALL
    }

    /**
     * The loads by size and by depth.
     *
     * @param sizes the sizes, or empty for powers of two
     * @param depths the depths
     * @param of the loads that have sweeps
     */
    public record Sweeps(List<Integer> sizes, List<Integer> depths, Swept of) {
        /** Copies the lists. */
        public Sweeps {
            sizes = List.copyOf(sizes);
            depths = List.copyOf(depths);
        }
    }

    /** The routes to try. */
    public enum Routes {
        /** Routes that are permitted. */
        ALLOWED,
        /** All routes. */
        ALL
    }
}
