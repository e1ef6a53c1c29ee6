package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Tests how a slot is cut by the pages of the bus. */
class BusPagesTest {
    private static final int PAGE = 4096;

    @Test
    void thePiecesAreTheWholeSlotAndEachLiesInOnePage() {
        for (long address = 0xe000_0000L; address < 0xe000_0000L + 2 * PAGE; address += 8) {
            for (int bytes : new int[] {8, 512, 1536, 3584, PAGE, 4608, 7168, 3 * PAGE}) {
                int pieces = BusPages.count(address, bytes);
                assertThat(pieces).isBetween(1, BusPages.most(bytes));
                int at = 0;
                for (int piece = 0; piece < pieces; piece++) {
                    int start = BusPages.start(address, piece);
                    int end = BusPages.end(address, bytes, piece);
                    assertThat(start).isEqualTo(at);
                    assertThat(end).isGreaterThanOrEqualTo(start + 8);
                    assertThat((address + start) / PAGE).isEqualTo((address + end - 1) / PAGE);
                    at = end;
                }
                assertThat(at).isEqualTo(bytes);
            }
        }
    }
}
