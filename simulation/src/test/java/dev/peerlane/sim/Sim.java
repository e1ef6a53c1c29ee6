package dev.peerlane.sim;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The program of the simulation: {@code ./dev sim SEED} replays one seed with its trace, {@code
 * --seeds N} runs many.
 */
public final class Sim {
    private static final String USAGE =
            """
            usage: ./dev sim SEED [--no-fences]
                   ./dev sim --seeds N [--start S] [--no-fences]
                   ./dev sim --seeds N [--start S] --record FILE
              --no-fences    the control: copies without a fence, judged as if they had one
              --record FILE  runs in pieces, adds a line to FILE for each, and leaves out the seeds
                             that FILE has of the same commit\
            """;

    /** The commit of the sources, which the script {@code dev} passes. */
    private static final String COMMIT = System.getProperty("peerlane.commit", "unknown");

    /** The number of seeds in one line of a record, which take some minutes. */
    private static final long PIECE = 10_000;

    /**
     * At least one in this many copies without a fence must hand on old bytes; otherwise the
     * checkers see nothing.
     */
    static final int ONE_BREAKS_OF = 5;

    private final PrintStream out;
    private final Map<String, Integer> seen = new TreeMap<>();
    private final Coverage coverage = new Coverage();
    private final FeatureCoverage features = new FeatureCoverage();

    private Sim(PrintStream out) {
        this.out = out;
    }

    private static final class Arguments {
        private @Nullable Long seed;
        private long seeds;
        private long start = 1;
        private boolean unfenced;
        private @Nullable Path record;

        static Arguments of(String[] args) {
            Arguments a = new Arguments();
            for (int i = 0; i < args.length; i++) {
                switch (args[i]) {
                    case "--no-fences" -> a.unfenced = true;
                    case "--seeds" -> a.seeds = positive(value(args, ++i));
                    case "--start" -> a.start = Long.parseLong(value(args, ++i));
                    case "--record" -> a.record = Path.of(value(args, ++i));
                    default -> a.seed = Long.valueOf(args[i]);
                }
            }
            boolean one = a.seed != null && a.seeds == 0 && a.record == null;
            boolean many = a.seed == null && a.seeds > 0 && (a.record == null || !a.unfenced);
            if (!one && !many) {
                throw new IllegalArgumentException("one seed, or --seeds with what goes with it");
            }
            return a;
        }

        private static String value(String[] args, int at) {
            if (at >= args.length) {
                throw new IllegalArgumentException(args[at - 1] + " needs a value");
            }
            return args[at];
        }

        private static long positive(String text) {
            long number = Long.parseLong(text);
            if (number <= 0) {
                throw new IllegalArgumentException("--seeds " + text + " is none");
            }
            return number;
        }
    }

    /**
     * Runs the program. The exit status is 0 if no checker found anything, 4 if one did, 1 for
     * wrong arguments.
     */
    public static void main(String[] args) {
        System.exit(run(args, System.out));
    }

    /** Runs the program like {@link #main}, and returns the exit status. */
    static int run(String[] args, PrintStream out) {
        try {
            Arguments asked = Arguments.of(args);
            Sim sim = new Sim(out);
            if (asked.seed != null) {
                return sim.replay(asked.seed, asked.unfenced);
            }
            if (asked.unfenced) {
                return sim.control(asked.start, asked.seeds);
            }
            return asked.record == null
                    ? sim.many(asked.start, asked.seeds)
                    : sim.recorded(asked.start, asked.seeds, asked.record);
        } catch (IllegalArgumentException | IOException e) {
            out.println(e.getMessage());
        }
        out.println(USAGE);
        return 1;
    }

    private int replay(long seed, boolean unfenced) {
        Simulation.Outcome outcome =
                unfenced
                        ? Simulation.runUnfenced(seed, out::println)
                        : Simulation.run(seed, out::println);
        outcome.seen().forEach((what, times) -> out.println("%6d × %s".formatted(times, what)));
        outcome.violations().forEach(v -> out.println("VIOLATION: " + v));
        out.println(outcome.violations().isEmpty() ? "nothing was found" : "seed " + seed);
        return outcome.violations().isEmpty() ? 0 : 4;
    }

    private int many(long start, long seeds) {
        Piece piece = piece(start, seeds);
        seen.forEach((what, times) -> out.println("%6d × %s".formatted(times, what)));
        coverage.table().forEach(out::println);
        features.table().forEach(out::println);
        coverage.problems().forEach(out::println);
        features.problems().forEach(out::println);
        return told(piece);
    }

    private int recorded(long start, long seeds, Path file) throws IOException {
        PieceRecord record = PieceRecord.open(file, COMMIT);
        if (record.others() > 0) {
            out.println(
                    "%d pieces in %s are of other commits than %s and do not count"
                            .formatted(record.others(), file, COMMIT));
        }
        long end = start + seeds;
        for (long next = record.next(start); next < end; next = record.next(next)) {
            Piece piece = piece(next, record.gap(next, Math.min(PIECE, end - next)));
            record.add(piece);
            told(piece);
        }
        out.println("All of it, commit %s:".formatted(COMMIT));
        Piece sum = record.sum(start, seeds);
        out.println(
                "%d of %d cells (fault, phase, buffer; feature, buffer) met"
                        .formatted(sum.met().cardinality(), World.walk()));
        return told(sum);
    }

    private int told(Piece piece) {
        out.println(
                "%d seeds from %d in %.1f s: %.0f seeds/s, %d packets, %d seeds with violations"
                        .formatted(
                                piece.count(),
                                piece.start(),
                                piece.seconds(),
                                piece.count() / piece.seconds(),
                                piece.packets(),
                                piece.bad().size()));
        return piece.bad().isEmpty() ? 0 : 4;
    }

    private Piece piece(long start, long count) {
        long began = System.nanoTime();
        Coverage here = new Coverage();
        FeatureCoverage alike = new FeatureCoverage();
        List<Long> bad = new ArrayList<>();
        long packets = 0;
        for (long seed = start; seed < start + count; seed++) {
            Simulation.Outcome outcome = Simulation.run(seed, null);
            packets += outcome.packets();
            here.add(outcome.cells());
            alike.add(outcome.features());
            outcome.seen().forEach((what, times) -> seen.merge(what, times, Integer::sum));
            if (!outcome.violations().isEmpty()) {
                bad.add(seed);
                out.println("seed " + seed + ": " + String.join("; ", outcome.violations()));
            }
        }
        coverage.add(here);
        features.add(alike);
        BitSet met = here.met();
        int cells = Coverage.possible().size();
        alike.met().stream().forEach(place -> met.set(cells + place));
        double seconds = (System.nanoTime() - began) / 1e9;
        return new Piece(start, count, bad, packets, met, seconds, COMMIT);
    }

    private int control(long start, long seeds) {
        long broken = 0;
        for (long seed = start; seed < start + seeds; seed++) {
            broken += Simulation.runUnfenced(seed, null).handsOnOldBytes() ? 1 : 0;
        }
        out.println(
                "%d of %d seeds without fences, from %d on, hand on old bytes"
                        .formatted(broken, seeds, start));
        if (broken * ONE_BREAKS_OF < seeds) {
            out.println(
                    "That is less than one of %d: the simulation does not see what it should"
                            .formatted(ONE_BREAKS_OF));
            return 4;
        }
        return 0;
    }
}
