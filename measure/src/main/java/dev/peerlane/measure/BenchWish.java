package dev.peerlane.measure;

import dev.peerlane.Extent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Bench} measures.
 *
 * @param matrix the load on every way
 * @param sweeps the loads by size and by depth
 * @param nanos how long each figure is measured
 * @param scratch blocks that may be overwritten, or null
 * @param routes which routes are tried
 * @param seed of the canaries
 */
public record BenchWish(
        Matrix matrix,
        Sweeps sweeps,
        long nanos,
        @Nullable Extent scratch,
        Routes routes,
        long seed) {

    /**
     * The load on every way.
     *
     * @param chunkBytes bytes of a transfer, or 0 for what is usual
     * @param depth how many at once, in the sweep of sizes too
     */
    public record Matrix(int chunkBytes, int depth) {}

    /** Which ways have sweeps. */
    public enum Swept {
        /** No way. */
        NONE,
        /** The first way between two devices and what belongs to it. */
        FIRST,
        /** All ways. */
        ALL
    }

    /**
     * The loads by size and by depth.
     *
     * @param sizes the sizes, or empty for powers of two
     * @param depths the depths
     * @param of which ways have them
     */
    public record Sweeps(List<Integer> sizes, List<Integer> depths, Swept of) {
        /** Keeps its own copies of the lists. */
        public Sweeps {
            sizes = List.copyOf(sizes);
            depths = List.copyOf(depths);
        }
    }

    /** Which routes are tried. */
    public enum Routes {
        /** Those whose verdict is that they work. */
        ALLOWED,
        /** All of them. */
        ALL
    }
}
