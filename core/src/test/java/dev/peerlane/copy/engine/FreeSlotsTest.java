package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests which chunk takes which slot, in whatever order commands end. */
class FreeSlotsTest {
    private static final int CHUNKS = 400;

    /**
     * Takes slots for all chunks, which end in random order. If backwards, the last chunk comes
     * first.
     */
    private static int[] taken(int slots, boolean check, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        FreeSlots free = new FreeSlots(slots, check);
        List<Integer> busy = new ArrayList<>();
        int[] slotOf = new int[CHUNKS];
        for (int begun = 0; begun < CHUNKS; ) {
            int chunk = check ? CHUNKS - 1 - begun : begun;
            int slot = busy.isEmpty() || random.nextInt(3) > 0 ? free.take(chunk) : -1;
            if (slot < 0) {
                assertThat(busy).as("a slot for chunk %d of seed %d", chunk, seed).isNotEmpty();
                free.give(busy.remove(random.nextInt(busy.size())));
                continue;
            }
            slotOf[chunk] = slot;
            busy.add(slot);
            begun++;
        }
        return slotOf;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 7, 8, 9, 31, 64})
    void noChunkIsVerifiedInTheSlotOfItsCopy(int slots) {
        for (int seed = 0; seed < 20; seed++) {
            int[] copied = taken(slots, false, seed);
            int[] verified = taken(slots, true, seed + 100);
            assertThat(IntStream.of(copied).distinct().count()).isEqualTo(slots);
            assertThat(IntStream.of(verified).distinct().count()).isEqualTo(slots);
            for (int chunk = 0; chunk < CHUNKS; chunk++) {
                assertThat(verified[chunk])
                        .as("chunk %d of seed %d", chunk, seed)
                        .isNotEqualTo(copied[chunk])
                        .isBetween(0, slots - 1);
            }
        }
    }

    @Test
    void theOnlySlotServesBoth() {
        assertThat(taken(1, false, 1)).isEqualTo(taken(1, true, 1)).containsOnly(0);
    }
}
