package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.BlockPort;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.measure.LitmusJob;
import dev.peerlane.pci.Bdf;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks that the simulation finds nothing, that it repeats itself, and that it would find errors.
 */
class SimulationTest {
    /**
     * Number of seeds. {@code ./dev check} runs more. {@code ./dev test} runs fewer than are needed
     * to cover the cells; they are spread over these seeds, and coverage is not checked then.
     */
    private static final int SEEDS = Integer.getInteger("peerlane.simSeeds", 1000);

    /** The first of the random seeds; {@code ./dev check} draws it. */
    private static final long START = Long.getLong("peerlane.simStart", 1);

    /**
     * A seed with packets over three links of their own, two drives with ATS, and a litmus test
     * with sentinels.
     */
    private static final long WITH_EVERYTHING = 51_073_699;

    /** Events that this many seeds must include to be meaningful. */
    private static final List<String> MUST_BE_SEEN =
            List.of(
                    "ok",
                    "buffer target-cmb",
                    "buffer source-cmb",
                    "buffer third-party-cmb",
                    "buffer host",
                    "fence sentinel",
                    "fence canary",
                    "fence readback",
                    "fence none",
                    "verify target-compare",
                    "verify source-compare",
                    "verify controlled-compare",
                    "verify host",
                    "verify none",
                    "peer direct",
                    "peer through root",
                    "failed peer-writes-lost",
                    "failed interrupted",
                    "cancelled in FILL",
                    "cancelled in STEADY",
                    "cancelled in DRAIN",
                    "beside another",
                    "litmus with fence sentinel",
                    "failed verify-mismatch",
                    "refused no-permitted-route",
                    "refused no-cmb",
                    "one switch, packets",
                    "one switch, fast",
                    "one switch that redirects, packets",
                    "three root ports, packets",
                    "two switches, one below the other, packets",
                    "a switch and a root port, packets");

    @Test
    void noCheckerFindsAnythingInManySeeds() {
        long walk = Math.min(SEEDS, World.walk());
        long start = START == 1 ? walk + 1 : START;
        System.out.printf(
                "simulation: %d of the first %d seeds, then from %d on%n",
                walk, World.walk(), start);
        Map<String, Integer> seen = new TreeMap<>();
        Coverage coverage = new Coverage();
        FeatureCoverage features = new FeatureCoverage();
        List<String> found = new ArrayList<>();
        long began = System.nanoTime();
        for (long i = 0; i < SEEDS; i++) {
            long seed = i < walk ? 1 + i * World.walk() / walk : start + i - walk;
            Simulation.Outcome outcome = Simulation.run(seed, null);
            coverage.add(outcome.cells());
            features.add(outcome.features());
            outcome.seen().forEach((what, times) -> seen.merge(what, times, Integer::sum));
            for (String violation : outcome.violations()) {
                found.add("replay it with ./dev sim %d: %s".formatted(seed, violation));
            }
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        System.out.printf(
                "simulation: %d seeds in %.1f s, %.0f seeds/s%n", SEEDS, seconds, SEEDS / seconds);
        coverage.table().forEach(System.out::println);
        features.table().forEach(System.out::println);
        assertThat(found).isEmpty();
        if (walk == World.walk()) {
            assertThat(coverage.problems()).isEmpty();
            assertThat(features.problems()).isEmpty();
            assertThat(seen.keySet()).containsAll(MUST_BE_SEEN);
        }
    }

    @Test
    void aSeedRepeatsItselfStepForStep() {
        for (long seed : new long[] {40, 41, 42, 43, 44, WITH_EVERYTHING}) {
            List<String> first = new ArrayList<>();
            List<String> second = new ArrayList<>();
            Simulation.Outcome outcome = Simulation.run(seed, first::add);
            Simulation.run(seed, second::add);
            assertThat(first).as("seed %d", seed).hasSizeGreaterThan(10).isEqualTo(second);
            assertThat(Simulation.run(seed, null)).as("without a trace").isEqualTo(outcome);
        }
    }

    private static Path homeOf(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    /** Another process has other identity hashes, and its unmodifiable sets another order. */
    @Test
    void aSeedIsTheSameInAnotherProcess(@TempDir Path folder) throws Exception {
        String seed = String.valueOf(WITH_EVERYTHING);
        String classes = homeOf(Sim.class) + File.pathSeparator + homeOf(EmulatedFabric.class);
        classes += File.pathSeparator + homeOf(LitmusJob.class);
        Path told = folder.resolve("told");
        Process other =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseParallelGC",
                                "-Dstdout.encoding=UTF-8",
                                "-cp",
                                classes,
                                Sim.class.getName(),
                                seed)
                        .redirectErrorStream(true)
                        .redirectOutput(told.toFile())
                        .start();
        assertThat(other.waitFor()).isZero();
        assertThat(Files.readAllLines(told)).isEqualTo(output(0, seed).lines().toList());
    }

    /** A simulation that finds nothing in these copies can't find anything in others either. */
    @Test
    void aFifthOfAHundredUnfencedCopiesHandsOnOldBytes() {
        assertThat(output(0, "--seeds", "100", "--start", "1001", "--no-fences"))
                .containsPattern("[0-9]+ of 100 seeds without fences, from 1001 on, hand on old");
    }

    @Test
    void theCheckersFindACopyThatTakesTooLong() {
        World world = World.of(1000);
        assertThat(Simulation.run(1000, world, false, 1_000, null).violations())
                .isNotEmpty()
                .allMatch(v -> v.contains("s of virtual time"));
    }

    @Test
    void theProgramReplaysASeedAndRunsMany() {
        assertThat(output(0, "3")).contains("seed 3: ").contains("nothing was found");
        assertThat(output(0, "--seeds", "2", "--start", "7"))
                .contains("2 seeds from 7")
                .contains("seeds/s");
        assertThat(output(1, "three")).contains("usage");
        assertThat(output(1)).contains("usage");
        assertThat(output(1, "--seeds", "0")).contains("--seeds 0 is none");
        assertThat(output(1, "--seeds")).contains("--seeds needs a value");
        assertThat(output(1, "--seeds", "2", "--no-fences", "--record", "x")).contains("usage");
    }

    private static String output(int status, String... arguments) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            assertThat(Sim.run(arguments, out)).isEqualTo(status);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aPortReportsEveryCommandToTheLedger() {
        List<String> violations = new ArrayList<>();
        SlotLedger ledger = new SlotLedger(violations::add);
        BlockPort port =
                new WatchedPort(
                        new YesPort(),
                        new SlotLedger.Side(this, new Bdf(0, 3, 0, 0)),
                        ledger,
                        new Nobody(),
                        line -> {});
        port.submitRead(4, 0, 1);
        assertThat(violations).singleElement().asString().contains("slot 4 is not attached: Read");
    }

    /** An observer that ignores everything. */
    private static final class Nobody implements WatchedPort.Seen {
        @Override
        public void posted(SlotLedger.Use use, long lba, int blocks) {}

        @Override
        public void ended(SlotLedger.Use use, long lba, int blocks) {}

        @Override
        public void flushed() {}

        @Override
        public void polling() {}
    }
}
