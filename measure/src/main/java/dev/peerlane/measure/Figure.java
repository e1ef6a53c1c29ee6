package dev.peerlane.measure;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.Receipt;
import dev.peerlane.nvme.Namespace;
import org.jspecify.annotations.Nullable;

/** One figure of a {@link Bench}: what was measured, or why it was not. */
public sealed interface Figure {
    /** What a figure is one of. */
    enum Group {
        /** One load on every way. */
        MATRIX,
        /** A way at several sizes of a transfer. */
        SIZES,
        /** A way at several depths. */
        DEPTHS
    }

    /** Why a load was not measured. */
    enum Obstacle {
        /** What the device or its memory can't do. */
        DEVICE,
        /** The verdict on the route. */
        ROUTE
    }

    /**
     * Says that a load was not measured.
     *
     * @param obstacle why
     * @param words the same in words
     */
    record Skipped(Obstacle obstacle, String words) {}

    /**
     * A load on one way.
     *
     * @param group which group it is of
     * @param way the way
     * @param chunkBytes bytes of a transfer
     * @param depth how many at once
     * @param skipped why it was not measured, or null
     * @param result what was measured, or null
     */
    record OfLoad(
            Group group,
            LoadWay way,
            int chunkBytes,
            int depth,
            @Nullable Skipped skipped,
            @Nullable LoadResult result)
            implements Figure {}

    /**
     * Whole copies from one namespace to another, by one kind of memory.
     *
     * @param source where from
     * @param target where to
     * @param by what was to carry them
     * @param sum what they came to
     * @param last the receipt of the last one, or null
     * @param failure why there are not more of them, or null
     */
    record OfCopies(
            Namespace source,
            Namespace target,
            BufferChoice by,
            Sum sum,
            @Nullable Receipt last,
            @Nullable PeerlaneException failure)
            implements Figure {
        /** Returns whether they were measured: none of them failed, and they took time. */
        public boolean isMeasured() {
            return failure == null && last != null && sum.seconds() > 0;
        }
    }

    /** What copies came to: their bytes, their time, and the processor time of it. */
    record Sum(long bytes, double seconds, double cpuSeconds) {
        static final Sum NONE = new Sum(0, 0, 0);

        Sum plus(Receipt receipt) {
            return new Sum(
                    bytes + receipt.bytesCopied(),
                    seconds + receipt.seconds(),
                    cpuSeconds + receipt.cpuSeconds());
        }
    }
}
