package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Tests the source of the words that are planted before a Read. */
class PlantedWordsTest {
    private static final long SEED = 50020904;

    private static void add(Set<Long> words, RandomGenerator random, int count) {
        for (int i = 0; i < count; i++) {
            words.add(random.nextLong());
        }
    }

    @Test
    void dataThatWasMadeFromTheSameSeedHoldsNoPlantedWord() {
        Set<Long> data = new HashSet<>();
        for (int chunk = 0; chunk < 100; chunk++) {
            add(data, new SplittableRandom(SEED + chunk), 1000); // like a litmus test's pattern
        }
        Set<Long> planted = new HashSet<>();
        add(planted, Poison.words(SEED), 10_000);
        assertThat(planted).hasSize(10_000);
        planted.retainAll(data); // AssertJ's containment would compare each pair
        assertThat(planted).isEmpty();
    }
}
