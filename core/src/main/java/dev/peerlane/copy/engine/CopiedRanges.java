package dev.peerlane.copy.engine;

import dev.peerlane.copy.Receipt;
import java.util.ArrayList;
import java.util.List;

/** Computes which blocks of the target are written, from the chunks that are done. */
final class CopiedRanges {
    private static final int MAX_RANGES = 64;

    private CopiedRanges() {}

    /**
     * Returns the ranges in ascending order, the first {@value #MAX_RANGES}.
     *
     * @param over the lane of the last pipeline
     * @param log the chunks that this pipeline finished
     * @param targetLba the first block of the copy
     * @param doneBefore bytes that earlier pipelines wrote
     */
    static List<Receipt.Range> of(Lane over, ChunkLog log, long targetLba, long doneBefore) {
        List<Receipt.Range> ranges = new ArrayList<>();
        int blockBytes = over.second().limits().blockBytes();
        if (doneBefore > 0) {
            ranges.add(new Receipt.Range(targetLba, doneBefore / blockBytes));
        }
        long end = Math.min(over.chunks(), log.low() + ChunkLog.WINDOW);
        long start = -1;
        for (long chunk = Math.max(0, log.low() - 1); chunk <= end; chunk++) {
            boolean done = chunk < end && log.isDone(chunk);
            if (done && start < 0) {
                start = chunk < log.low() ? 0 : chunk;
            } else if (!done && start >= 0) {
                if (ranges.size() < MAX_RANGES) {
                    boolean follows = start == 0 && !ranges.isEmpty();
                    long first = follows ? ranges.removeFirst().slba() : over.secondLbaOf(start);
                    long last = over.secondLbaOf(chunk - 1);
                    long tail = over.chunkLength(chunk - 1) / blockBytes;
                    ranges.add(new Receipt.Range(first, last + tail - first));
                }
                start = -1;
            }
        }
        return ranges;
    }
}
