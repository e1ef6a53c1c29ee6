package dev.peerlane.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IovaAllocatorTest {
    private static final long GIB = 1L << 30;

    @Test
    void addressesAboveFourGibibytesComeFirstAndAddressZeroNever() {
        IovaAllocator addresses = new IovaAllocator(List.of(new Span(0, 4 * GIB + 0x2fff)));
        assertThat(addresses.take(0x1000, 0x1000)).isEqualTo(4 * GIB);
        assertThat(addresses.take(0x1000, 0x1000)).isEqualTo(0x1000);
    }

    @Test
    void runsAreDisjointWithinTheSpansAndOutsideTheHoles() {
        long seed = 4711;
        SplittableRandom random = new SplittableRandom(seed);
        List<Span> usable =
                Span.without(
                        List.of(new Span(0, 8 * GIB)),
                        List.of(new Span(GIB, 5 * GIB - 1), new Span(6 * GIB, 6 * GIB + 0xfff)));
        IovaAllocator addresses = new IovaAllocator(usable);
        List<Span> taken = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            if (!taken.isEmpty() && random.nextInt(100) < 45) {
                Span gone = taken.remove(random.nextInt(taken.size()));
                addresses.give(gone.start(), gone.last() - gone.start() + 1);
                continue;
            }
            long align = 4096L << random.nextInt(10);
            long bytes = 4096L * (1 + random.nextInt(20_000));
            long at = addresses.take(bytes, align);
            if (at < 0) {
                continue;
            }
            Span span = new Span(at, at + bytes - 1);
            assertThat(at % align).as("seed %d", seed).isZero();
            assertThat(usable)
                    .as("seed %d", seed)
                    .anyMatch(u -> u.holds(span.start(), span.last()));
            assertThat(taken)
                    .as("seed %d", seed)
                    .noneMatch(t -> t.start() <= span.last() && span.start() <= t.last());
            taken.add(span);
        }
        taken.forEach(t -> addresses.give(t.start(), t.last() - t.start() + 1));
        assertThat(addresses.take(3 * GIB - (1 << 20), 4096))
                .as("all is one piece again, seed %d", seed)
                .isEqualTo(-1);
        assertThat(addresses.take(GIB - 8192, 4096)).isPositive();
    }

    @Test
    void withoutReturnsThePartsThatNoHoleCovers() {
        assertThat(
                        Span.without(
                                List.of(new Span(0, 99), new Span(200, 299)),
                                List.of(
                                        new Span(0, 9),
                                        new Span(50, 59),
                                        new Span(90, 210),
                                        new Span(500, 600))))
                .containsExactly(new Span(10, 49), new Span(60, 89), new Span(211, 299));
        assertThat(Span.of(5, -1)).isEqualTo(new Span(5, Long.MAX_VALUE));
    }
}
