package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.planning.Geometry;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/** Tests what the tuner tries and chooses, with rates from a formula. */
class TunerTest {
    private static final int KIB = 1 << 10;
    private static final long TRY_NANOS = 30_000_000L;

    private static Geometry cut(int chunk, int slots) {
        return new Geometry(chunk, slots, 2, 512);
    }

    private static Tuner tuner(Geometry planned, CopyOptions options) {
        return new Tuner(planned, options, 512, 128 * KIB);
    }

    private static Tuner run(Tuner tuner, ToDoubleFunction<Geometry> rate) {
        while (tuner.tries()) {
            tuner.took(rate.applyAsDouble(tuner.geometry()), TRY_NANOS);
        }
        return tuner;
    }

    private static List<String> tried(Tuner tuner) {
        return tuner.tried().stream().map(t -> t.chunkBytes() / KIB + "x" + t.slots()).toList();
    }

    /**
     * Returns the rate of a device that needs some number of bytes in flight, and has a maximum
     * command rate.
     */
    private static ToDoubleFunction<Geometry> device(double bytesAtWork, double commands) {
        return g -> {
            double bytes = (double) g.chunkBytes() * g.slots();
            return Math.min(Math.min(1, bytes / bytesAtWork) * 4e8, commands * g.chunkBytes());
        };
    }

    @Test
    void slotsAreHalvedWhileTheRateStays() {
        Tuner tuner =
                run(
                        tuner(cut(128 * KIB, 64), CopyOptions.DEFAULTS),
                        device(1e6, Double.POSITIVE_INFINITY));
        assertThat(tried(tuner))
                .containsExactly("128x64", "128x32", "128x16", "128x8", "128x4", "64x16", "128x64");
        assertThat(tuner.geometry()).isEqualTo(cut(128 * KIB, 8));
    }

    @Test
    void lossesOfTwoPercentDoNotAddUp() {
        double[] rates = {100, 98.5, 97.1, 95, 94};
        int[] at = {0};
        Tuner tuner =
                run(
                        tuner(cut(128 * KIB, 64), CopyOptions.DEFAULTS),
                        g -> rates[Math.min(at[0]++, 4)]);
        assertThat(tuner.geometry()).isEqualTo(cut(128 * KIB, 32));
    }

    @Test
    void longerChunksAreTakenAsLongAsTheyAreFaster() {
        Tuner tuner = run(tuner(cut(16 * KIB, 24), CopyOptions.DEFAULTS), device(384 * KIB, 5_000));
        assertThat(tried(tuner))
                .containsExactly(
                        "16x24", "16x12", "16x6", "16x3", "32x6", "64x6", "128x3", "16x24");
        assertThat(tuner.geometry()).isEqualTo(cut(128 * KIB, 3));
    }

    @Test
    void shorterChunksAreTakenWhereTheyAreFaster() {
        Tuner tuner =
                run(
                        tuner(cut(128 * KIB, 24), CopyOptions.DEFAULTS),
                        g -> g.slots() * (g.chunkBytes() < 16 * KIB ? 0.5 : 1));
        assertThat(tried(tuner))
                .containsExactly("128x24", "128x12", "64x48", "32x64", "16x64", "128x24");
        assertThat(tuner.geometry()).isEqualTo(cut(32 * KIB, 64));
    }

    @Test
    void noTryTakesMoreMemoryThanThePlan() {
        Geometry planned = cut(16 * KIB, 13);
        Tuner tuner = tuner(planned, CopyOptions.DEFAULTS);
        while (tuner.tries()) {
            assertThat(tuner.geometry().totalBytes()).isLessThanOrEqualTo(planned.totalBytes());
            assertThat(tuner.geometry().slots()).isBetween(2, Geometry.MAX_SLOTS);
            tuner.took(tuner.geometry().slots(), TRY_NANOS);
        }
    }

    @Test
    void whatTheUserGaveIsKept() {
        Geometry planned = cut(64 * KIB, 32);
        CopyOptions options = CopyOptions.DEFAULTS;
        assertThat(tuner(planned, options.withSlots(64 * KIB, 32)).tries()).isFalse();
        Tuner chunk = run(tuner(planned, options.withSlots(64 * KIB, 0)), g -> 1);
        assertThat(chunk.tried()).hasSizeGreaterThan(1).allMatch(t -> t.chunkBytes() == 64 * KIB);
        Tuner slots = run(tuner(planned, options.withSlots(0, 32)), g -> 1e9 / g.chunkBytes());
        assertThat(slots.tried()).hasSizeGreaterThan(1).allMatch(t -> t.slots() == 32);
    }

    @Test
    void theTriesEndWithinASecond() {
        Tuner tuner = tuner(cut(128 * KIB, 64), CopyOptions.DEFAULTS);
        while (tuner.tries()) {
            tuner.took(1, 300_000_000L);
        }
        assertThat(tuner.tried()).hasSize(3);
        assertThat(tuner.spentNanos()).isLessThanOrEqualTo(1_000_000_000L);
    }

    @Test
    void aDeviceThatEndsNothingInItsTimeKeepsThePlan() {
        Tuner tuner = tuner(cut(128 * KIB, 64), CopyOptions.DEFAULTS);
        tuner.took(0, TRY_NANOS);
        assertThat(tuner.tries()).isFalse();
        assertThat(tuner.geometry()).isEqualTo(cut(128 * KIB, 64));
    }

    /**
     * Runs a copy in virtual time whose code is cold at first; the drives reach only a part of
     * their rate then.
     */
    private static Tuner copy(
            Geometry planned, ToDoubleFunction<Geometry> rate, long coldNanos, double cold) {
        Tuner tuner = tuner(planned, CopyOptions.DEFAULTS);
        long now = 0;
        double left = 4e9;
        while (tuner.tries() && left > 0) {
            Geometry cut = tuner.geometry();
            long started = now;
            Meter meter = tuner.meter((long) left / cut.chunkBytes(), now);
            double bytes = 0;
            do {
                now += 250_000;
                bytes += rate.applyAsDouble(cut) * (now <= coldNanos ? cold : 1) / 4000;
            } while (bytes < left && !meter.isOver(now, (long) bytes / cut.chunkBytes()));
            left -= bytes;
            if (left > 0) {
                tuner.took(meter.chunksPerSecond() * cut.chunkBytes(), now - started);
            }
        }
        return tuner;
    }

    /** Returns the best rate of all cuts that the tuner could choose. */
    private static double bestRate(Geometry planned, ToDoubleFunction<Geometry> rate) {
        double best = 0;
        for (int chunk = 4 * KIB; chunk <= 128 * KIB; chunk *= 2) {
            for (int slots = 2; slots <= 64; slots++) {
                if ((long) slots * chunk <= planned.sentinelOffset()) {
                    best = Math.max(best, rate.applyAsDouble(planned.cut(chunk, slots)));
                }
            }
        }
        return best;
    }

    @Test
    void coldCodeStillLeadsToABestCut() {
        long seed = 20261130;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 300; i++) {
            double atWork = 64 * KIB * Math.pow(2, 6 * random.nextDouble());
            double commands = 5_000 * Math.pow(2, 6 * random.nextDouble());
            ToDoubleFunction<Geometry> rate = device(atWork, commands);
            int chunk = (4 * KIB) << random.nextInt(6);
            Geometry planned = cut(chunk, random.nextInt(24, 65));
            long cold = random.nextLong(200_000_000L);
            Tuner tuner = copy(planned, rate, cold, 0.1);
            assertThat(rate.applyAsDouble(tuner.geometry()))
                    .as(
                            "seed %d, %d: %.0f bytes at work, %.0f commands/s, %s, cold for %d ns: %s",
                            seed, i, atWork, commands, planned, cold, tuner.tried())
                    .isGreaterThanOrEqualTo(0.95 * bestRate(planned, rate));
        }
    }

    @Test
    void aCopyThatIsShortOnceItsCodeIsWarmIsNotTuned() {
        Tuner tuner = copy(cut(128 * KIB, 64), g -> 3e9, 100_000_000L, 0.1);
        assertThat(tuner.tried()).isEmpty();
    }

    @Test
    void noCutIsTriedWhileTheRateStillRises() {
        // about a GiB, which takes a second when warm; the code takes half a second to warm up
        Tuner tuner = tuner(cut(128 * KIB, 64), CopyOptions.DEFAULTS);
        Meter meter = tuner.meter(8192, 0);
        double chunks = 0;
        for (long now = 0; chunks < 8192; now += 250_000) {
            chunks += 8192 * Math.min(1, 0.2 + 0.8 * now / 5e8) / 4000;
            assertThat(meter.isOver(now, (long) chunks)).as("at %d ns", now).isFalse();
        }
        assertThat(meter.chunksPerSecond()).isBetween(0.95 * 8192, 8192.0);
    }

    @Test
    void aRateThatNeverStaysEndsTheTriesAfterASecond() {
        Tuner tuner = tuner(cut(128 * KIB, 64), CopyOptions.DEFAULTS);
        Meter meter = tuner.meter(1_000_000, 0);
        long now = 0;
        double chunks = 0;
        double rate = 8192;
        while (!meter.isOver(now, (long) chunks)) {
            now += 250_000;
            rate *= 1.001;
            chunks += rate / 4000;
        }
        assertThat(now).isBetween(1_000_000_000L, 1_001_000_000L);
        tuner.took(meter.chunksPerSecond() * 128 * KIB, now);
        assertThat(tuner.tries()).as("such a rate is no ground to compare cuts").isFalse();
    }

    @Test
    void theStartDoesNotCountForTheRate() {
        Meter meter = new Meter(cut(4096, 64), 1_000_000, 0, 0, 0);
        long now = 5_000_000; // no chunk ends before this time
        long count = 0;
        while (!meter.isOver(now, count)) {
            now += 10_000;
            count++;
        }
        assertThat(meter.chunksPerSecond()).isEqualTo(100_000);
    }

    @Test
    void aShortRestIsCopiedInOneGo() {
        Meter meter = new Meter(cut(4096, 64), 100_000, 0, 2_000_000_000L, 0);
        for (long count = 1; count < 100_000; count++) {
            assertThat(meter.isOver(count * 10_000, count)).isFalse();
        }
    }
}
