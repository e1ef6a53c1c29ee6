package dev.peerlane.hal.parts;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PageRunsTest {
    private static final int PAGE = 4096;

    @Test
    void theLowestRunThatIsLongEnoughIsTakenExactly() {
        PageRuns runs = new PageRuns(8 * PAGE + 100, PAGE);
        assertThat(runs.take(3 * PAGE)).isZero();
        assertThat(runs.take(2 * PAGE)).isEqualTo(3 * PAGE);
        assertThat(runs.take(3 * PAGE)).isEqualTo(5 * PAGE);
        assertThat(runs.take(PAGE)).isEqualTo(-1);
        runs.give(3 * PAGE, 2 * PAGE);
        assertThat(runs.take(3 * PAGE)).isEqualTo(-1);
        assertThat(runs.take(2 * PAGE)).isEqualTo(3 * PAGE);
        assertThat(runs.isEmpty()).isFalse();
    }

    @Test
    void noPageIsEverGivenToTwo() {
        SplittableRandom random = new SplittableRandom(17);
        PageRuns runs = new PageRuns(64 * PAGE, PAGE);
        boolean[] taken = new boolean[64];
        Map<Long, Integer> open = new HashMap<>();
        for (int i = 0; i < 5_000; i++) {
            if (random.nextBoolean()) {
                int count = 1 + random.nextInt(12);
                long offset = runs.take((long) count * PAGE);
                for (int page = 0; offset >= 0 && page < count; page++) {
                    int at = (int) (offset / PAGE) + page;
                    assertThat(taken[at]).as("page %d in step %d", at, i).isFalse();
                    taken[at] = true;
                }
                if (offset >= 0) {
                    open.put(offset, count);
                }
            } else if (!open.isEmpty()) {
                long offset = open.keySet().iterator().next();
                int count = open.remove(offset);
                runs.give(offset, (long) count * PAGE);
                for (int page = 0; page < count; page++) {
                    taken[(int) (offset / PAGE) + page] = false;
                }
            }
            assertThat(runs.isEmpty()).isEqualTo(open.isEmpty());
        }
    }
}
