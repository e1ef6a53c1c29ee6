package dev.peerlane.measure;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.Receipt;
import dev.peerlane.nvme.Namespace;
import org.jspecify.annotations.Nullable;

/** One figure of a {@link Bench}: what was measured, or why it was not. */
public sealed interface Figure {
    /** The groups of figures. */
    enum Group {
        /** A load in every direction. */
        MATRIX,
        /** A load at several transfer sizes. */
        SIZES,
        /** A load at several depths. */
        DEPTHS
    }

    /** Why a load was not measured. */
    enum Obstacle {
        /** The device or its memory can't do it. */
        DEVICE,
        /** The route is not permitted. */
        ROUTE
    }

    /**
     * A load that was not measured.
     *
     * @param obstacle the kind of reason
     * @param words the reason in words
     */
    record Skipped(Obstacle obstacle, String words) {}

    /**
     * A load in one direction.
     *
     * @param group the group of this figure
     * @param way the load's devices, memory and direction
     * @param chunkBytes bytes of a transfer
     * @param depth number of commands in flight
     * @param skipped why it was not measured, or null
     * @param result the result, or null
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
     * Whole copies from one namespace to another, through one kind of memory.
     *
     * @param source the namespace that is read
     * @param target the namespace that is written
     * @param by the memory that was to carry the data
     * @param sum the totals of the copies
     * @param last the receipt of the last copy, or null
     * @param failure why there are no more copies, or null
     */
    record OfCopies(
            Namespace source,
            Namespace target,
            BufferChoice by,
            Sum sum,
            @Nullable Receipt last,
            @Nullable PeerlaneException failure)
            implements Figure {
        /** Returns whether the copies were measured: none failed, and they took time. */
        public boolean isMeasured() {
            return failure == null && last != null && sum.seconds() > 0;
        }
    }

    /** The totals of copies: bytes, time, and processor time. */
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
