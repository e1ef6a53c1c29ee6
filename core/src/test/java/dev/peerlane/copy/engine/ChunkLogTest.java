package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Compares the log of chunks with a set that has no window, over copies of many windows. */
class ChunkLogTest {
    private static final int CHUNKS = 5 * ChunkLog.WINDOW / 2;

    @Test
    void chunksAreDoneOnceInWhateverOrderTheyEnd() {
        for (long seed = 1; seed <= 3; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            ChunkLog log = new ChunkLog(CHUNKS);
            BitSet done = new BitSet();
            List<Integer> started = new ArrayList<>();
            int next = 0;
            while (!log.complete()) {
                while (next < CHUNKS && log.mayStart(next) && started.size() < 100) {
                    started.add(next++);
                }
                int at = random.nextInt(started.size());
                int chunk = started.set(at, started.getLast());
                started.removeLast();
                assertThat(log.isDone(chunk)).as("seed %d, chunk %d", seed, chunk).isFalse();
                log.done(chunk);
                done.set(chunk);
                assertThat(log.low()).isEqualTo(done.nextClearBit(0));
                assertThat(log.count()).isEqualTo(done.cardinality());
                int probe = (int) log.low() + random.nextInt(ChunkLog.WINDOW);
                assertThat(log.isDone(probe))
                        .as("seed %d, chunk %d of those from %d on", seed, probe, log.low())
                        .isEqualTo(done.get(probe));
            }
            assertThat(done.cardinality()).isEqualTo(CHUNKS);
        }
    }

    @Test
    void aChunkThatTakesLongStopsTheOthersBeforeTheWindowEnds() {
        ChunkLog log = new ChunkLog(CHUNKS);
        for (int chunk = 1; chunk < ChunkLog.WINDOW; chunk++) {
            assertThat(log.mayStart(chunk)).isTrue();
            log.done(chunk);
        }
        assertThat(log.mayStart(ChunkLog.WINDOW)).isFalse();
        assertThatThrownBy(() -> log.done(ChunkLog.WINDOW))
                .isInstanceOf(IllegalStateException.class);
        log.done(0);
        assertThat(log.low()).isEqualTo(ChunkLog.WINDOW);
        assertThat(log.mayStart(ChunkLog.WINDOW)).isTrue();
    }
}
