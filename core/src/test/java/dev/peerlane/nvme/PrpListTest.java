package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrpListTest {
    private static final int PAGE = PrpList.PAGE;

    @ParameterizedTest
    @CsvSource({
        "0, 4096, 0",
        "0, 4097, 1",
        "4, 4092, 0",
        "4, 4093, 1",
        "4092, 4, 0",
        "4092, 8, 1",
        "4092, 4100, 1",
        "4092, 4101, 2",
        "0, 2097152, 511",
        "4, 2097152, 512"
    })
    void everyTouchedPageAfterTheFirstCounts(int offset, int bytes, int pages) {
        long bus = 0x12_3456_7000L + offset;
        assertThat(PrpList.pagesAfterFirst(bus, bytes)).isEqualTo(pages);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 0",
        "2, 16",
        "3, 32",
        "4, 32",
        "5, 64",
        "256, 2048",
        "257, 4096",
        "512, 4096"
    })
    void listLengthsArePowersOfTwoSoThatNoListCrossesAPage(int pages, int bytes) {
        assertThat(PrpList.listBytes(pages)).isEqualTo(bytes);
    }

    @Test
    void aListHoldsThePagesAfterTheFirstAndNothingElse() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(2L * PAGE, PAGE);
            for (int pages : new int[] {2, 3, 31, 512}) {
                for (long start : new long[] {0, 64}) {
                    if (start + pages * 8L > PAGE) {
                        continue;
                    }
                    memory.fill((byte) 0x77);
                    PrpList.write(memory.address() + start, 0x12_3456_7ffcL, pages);
                    for (long at = 0; at < memory.byteSize(); at += 8) {
                        long i = (at - start) / 8;
                        boolean inside = at >= start && i < pages;
                        assertThat(memory.get(ValueLayout.JAVA_LONG, at))
                                .as("entry %d of %d", i, pages)
                                .isEqualTo(
                                        inside
                                                ? 0x12_3456_8000L + i * PAGE
                                                : 0x7777_7777_7777_7777L);
                    }
                }
            }
        }
    }
}
