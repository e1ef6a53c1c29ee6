package dev.peerlane.qtest;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks that pages of the RAM file are never allocated twice, always zeroed, and never lost. */
class RamFileTest {
    private static final long FIRST = 16L << 20;
    private static final long END = 32L << 20;

    @TempDir private Path directory;

    private RamFile open(long bytes) throws IOException {
        Path path = directory.resolve("ram");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(bytes);
        }
        return RamFile.open(path);
    }

    @Test
    void randomUseNeverOverlapsAndLosesNothing() throws IOException {
        long seed = 20260101;
        Random random = new Random(seed);
        try (RamFile ram = open(END)) {
            TreeMap<Long, Long> held = new TreeMap<>();
            for (int step = 0; step < 2000; step++) {
                String when = "seed %d, step %d".formatted(seed, step);
                if (held.size() > 20 || (!held.isEmpty() && random.nextBoolean())) {
                    Long[] all = held.keySet().toArray(Long[]::new);
                    long at = all[random.nextInt(all.length)];
                    ram.give(at, Objects.requireNonNull(held.remove(at)));
                    continue;
                }
                long bytes = (1 + random.nextInt(100)) * 4096L;
                long at = ram.take(bytes);
                assertThat(at).as(when).isBetween(FIRST, END - bytes);
                assertThat(at % 4096).as(when).isZero();
                Map.Entry<Long, Long> below = held.lowerEntry(at + bytes);
                if (below != null) {
                    assertThat(below.getKey() + below.getValue()).as(when).isLessThanOrEqualTo(at);
                }
                assertThat(ram.slice(at, 4096).toArray(JAVA_BYTE)).as(when).containsOnly(0);
                ram.slice(at, bytes).fill((byte) step);
                held.put(at, bytes);
            }
            held.forEach(ram::give);
            assertThat(ram.take(END - FIRST)).isEqualTo(FIRST);
        }
    }

    @Test
    void tooSmallOrAbsentFilesAreErrorsOfTheMachine() throws IOException {
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> open(1 << 20).close())
                .satisfies(e -> assertThat(e.code()).isEqualTo("qtest-ram-too-small"));
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> RamFile.open(directory.resolve("none")).close())
                .satisfies(e -> assertThat(e.code()).isEqualTo("qtest-ram-unusable"))
                .satisfies(e -> assertThat(e.getMessage()).contains("none"));
    }

    @Test
    void memoryPastTwoGibibytesIsNotAllocated() throws IOException {
        try (RamFile ram = open(4L << 30)) {
            assertThat(ram.fileBytes()).isEqualTo(4L << 30);
            assertThat(ram.usableBytes()).isEqualTo(2L << 30);
        }
    }
}
