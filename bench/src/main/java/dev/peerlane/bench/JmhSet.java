package dev.peerlane.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs the JMH benchmarks with the allocation profiler. */
final class JmhSet {
    private static final String ALLOCATED = "gc.alloc.rate.norm";

    /**
     * One benchmark with one set of parameters.
     *
     * @param nanos the nanoseconds per operation
     * @param error half of the 99.9 % confidence interval, NaN for a single iteration
     * @param bytes the bytes allocated per operation
     */
    record Line(String benchmark, String parameters, double nanos, double error, double bytes) {}

    private JmhSet() {}

    static List<Line> run(boolean brief) throws RunnerException {
        ChainedOptionsBuilder options =
                new OptionsBuilder()
                        .include("dev\\.peerlane\\.bench\\..*Benchmark")
                        .addProfiler(GCProfiler.class)
                        .verbosity(VerboseMode.SILENT)
                        .jvmArgs(
                                "-XX:+UseSerialGC",
                                "-Xmx1g",
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow")
                        .forks(1)
                        .warmupIterations(brief ? 2 : 3)
                        .warmupTime(TimeValue.milliseconds(brief ? 300 : 500))
                        .measurementIterations(brief ? 1 : 5)
                        .measurementTime(TimeValue.milliseconds(brief ? 300 : 500));
        Collection<RunResult> results = new Runner(options.build()).run();
        List<Line> lines = new ArrayList<>();
        for (RunResult result : results) {
            Result<?> time = result.getPrimaryResult();
            Result<?> allocated =
                    Objects.requireNonNull(result.getSecondaryResults().get(ALLOCATED));
            List<String> parameters = new ArrayList<>();
            for (String key : result.getParams().getParamsKeys()) {
                parameters.add(key + " " + result.getParams().getParam(key));
            }
            lines.add(
                    new Line(
                            name(result.getParams().getBenchmark()),
                            String.join(", ", parameters),
                            time.getScore(),
                            time.getScoreError(),
                            allocated.getScore()));
        }
        return lines;
    }

    private static String name(String full) {
        return full.substring(JmhSet.class.getPackageName().length() + 1);
    }
}
