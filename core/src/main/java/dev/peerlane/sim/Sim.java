package dev.peerlane.sim;

import java.io.PrintStream;
import java.util.Map;
import java.util.TreeMap;

/** {@code ./dev sim SEED} replays one seed with its trace, {@code --seeds N} runs many. */
public final class Sim {
    private static final String USAGE = "usage: ./dev sim SEED | ./dev sim --seeds N [--start S]";

    private Sim() {}

    /** Runs it; exit status 0 if no checker found anything, 4 if one did, 1 for wrong arguments. */
    public static void main(String[] args) {
        System.exit(run(args, System.out));
    }

    /** As {@link #main}, and returns the exit status. */
    static int run(String[] args, PrintStream out) {
        try {
            if (args.length == 1) {
                return replay(Long.parseLong(args[0]), out);
            }
            boolean started = args.length == 4 && args[2].equals("--start");
            if ((args.length == 2 || started) && args[0].equals("--seeds")) {
                return many(Long.parseLong(args[1]), started ? Long.parseLong(args[3]) : 1, out);
            }
        } catch (NumberFormatException e) {
            out.println("no number: " + e.getMessage());
        }
        out.println(USAGE);
        return 1;
    }

    private static int replay(long seed, PrintStream out) {
        Simulation.Outcome outcome = Simulation.run(seed, out::println);
        outcome.seen().forEach((what, times) -> out.println("%6d × %s".formatted(times, what)));
        outcome.violations().forEach(v -> out.println("VIOLATION: " + v));
        out.println(outcome.violations().isEmpty() ? "nothing was found" : "seed " + seed);
        return outcome.violations().isEmpty() ? 0 : 4;
    }

    private static int many(long seeds, long start, PrintStream out) {
        long began = System.nanoTime();
        Map<String, Integer> seen = new TreeMap<>();
        Coverage coverage = new Coverage();
        long bad = 0;
        long packets = 0;
        for (long seed = start; seed < start + seeds; seed++) {
            Simulation.Outcome outcome = Simulation.run(seed, null);
            packets += outcome.packets();
            coverage.add(outcome.cells());
            outcome.seen().forEach((what, times) -> seen.merge(what, times, Integer::sum));
            if (!outcome.violations().isEmpty()) {
                bad++;
                out.println("seed " + seed + ": " + String.join("; ", outcome.violations()));
            }
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        seen.forEach((what, times) -> out.println("%6d × %s".formatted(times, what)));
        coverage.table().forEach(out::println);
        coverage.problems().forEach(out::println);
        out.println(
                "%d seeds from %d in %.1f s: %.0f seeds/s, %d packets, %d seeds with violations"
                        .formatted(seeds, start, seconds, seeds / seconds, packets, bad));
        return bad == 0 ? 0 : 4;
    }
}
