package dev.peerlane.bench;

import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.hal.Clock;
import dev.peerlane.measure.Load;
import dev.peerlane.measure.LoadResult;
import dev.peerlane.measure.LoadRun;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A program that measures how a short wait after a poll with few completions affects rate and
 * latency. It runs pairs of loads with and without the wait, at several depths. The arguments are
 * the socket of a served drive that stores data, the number of pairs, and the milliseconds per
 * load.
 */
final class LingerTrial {
    private static final int BYTES = 4096;
    private static final long TIMEOUT_NANOS = 30_000_000_000L;
    private static final int[] DEPTHS = {8, 9, 16, 32, 64, 128};

    private LingerTrial() {}

    /** Returns a clock whose short waits take no time. */
    private static Clock hasty(Clock clock) {
        return new Clock() {
            @Override
            public long nanoTime() {
                return clock.nanoTime();
            }

            @Override
            public void turn() {
                clock.turn();
            }
        };
    }

    public static void main(String[] args) {
        int pairs = Integer.parseInt(args[1]);
        long nanos = Long.parseLong(args[2]) * 1_000_000;
        System.out.println("with to without, median [least, most]; compilers at work in ms");
        try (VfioUserFabric fabric = VfioUserFabric.open(List.of(Path.of(args[0])));
                Controller controller =
                        Controller.open(
                                fabric, fabric.locators().getFirst(), ControllerOptions.DEFAULTS)) {
            Namespace namespace = controller.namespace(1);
            Clock[] clocks = {hasty(fabric.clock()), fabric.clock()};
            for (int depth : DEPTHS) {
                double[][] ratios = new double[3][pairs];
                double compilers = 0;
                for (int i = 0; i < pairs; i++) {
                    LoadResult[] results = new LoadResult[2];
                    for (int k = 0; k < 2; k++) {
                        int which = (i + k) & 1; // alternate which one is first
                        results[which] = run(fabric, namespace, clocks[which], depth, nanos);
                        compilers += results[which].compilerSeconds();
                    }
                    ratios[0][i] = results[1].bytesPerSecond() / results[0].bytesPerSecond();
                    ratios[1][i] = ratio(results, 50);
                    ratios[2][i] = ratio(results, 99);
                }
                System.out.printf(
                        Locale.ROOT,
                        "depth %3d  rate %s  p50 %s  p99 %s  compilers %.0f%n",
                        depth,
                        text(ratios[0]),
                        text(ratios[1]),
                        text(ratios[2]),
                        1e3 * compilers);
            }
        }
    }

    private static LoadResult run(
            VfioUserFabric fabric, Namespace namespace, Clock clock, int depth, long nanos) {
        Load load =
                new Load(
                        Load.Command.READ,
                        BYTES,
                        depth,
                        0,
                        namespace.blockCount(),
                        nanos,
                        TIMEOUT_NANOS,
                        1);
        try (NvmeBlockPort port = namespace.port(depth)) {
            LoadResult result =
                    LoadRun.run(
                            load,
                            port,
                            new HostMemory(fabric.dma()),
                            fabric.dma(),
                            clock,
                            new CancelFlag());
            if (!result.voidReason().isEmpty()) {
                throw new IllegalStateException(result.voidReason());
            }
            return result;
        }
    }

    private static double ratio(LoadResult[] results, double percentile) {
        return (double) results[1].latencies().at(percentile)
                / results[0].latencies().at(percentile);
    }

    private static String text(double[] ratios) {
        Arrays.sort(ratios);
        return String.format(
                Locale.ROOT,
                "%.3f [%.3f, %.3f]",
                ratios[ratios.length / 2],
                ratios[0],
                ratios[ratios.length - 1]);
    }
}
