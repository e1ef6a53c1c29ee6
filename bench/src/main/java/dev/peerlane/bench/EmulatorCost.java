package dev.peerlane.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures what the emulator adds to the bare memory copies of its commands, and what a whole copy
 * adds to its parts. Compared samples alternate in one program on one core. A ratio is the median
 * of the ratios of neighbouring samples.
 */
final class EmulatorCost {
    /** The command sizes in bytes. */
    private static final List<Integer> SIZES = List.of(4 << 10, 16 << 10, 64 << 10, 128 << 10);

    private static final int WARM_UPS = 5;

    /**
     * Commands of one kind and size, compared with bare copies of the same bytes.
     *
     * @param emulated the nanoseconds per command
     * @param bare the nanoseconds for its bare copies
     */
    record Line(int bytes, String command, Spread emulated, Spread bare, Spread ratio) {}

    /**
     * A copy with one chunk size, compared with its parts.
     *
     * @param read the milliseconds to only read a GiB into the CMB
     * @param write the milliseconds to only write a GiB from it
     * @param copy the milliseconds to copy a GiB
     * @param ratio the copy's time divided by the sum of its parts
     */
    record Copied(int bytes, Spread read, Spread write, Spread copy, Spread ratio) {}

    private final int core;
    private final int samples;
    private final long sampleBytes;

    /**
     * Prepares the comparison.
     *
     * @param samples the number of samples of each kind
     * @param sampleBytes the bytes that a sample moves
     */
    EmulatorCost(int core, int samples, long sampleBytes) {
        this.core = core;
        this.samples = samples;
        this.sampleBytes = sampleBytes;
    }

    List<Line> measure() throws IOException {
        List<Line> lines = new ArrayList<>();
        try (Coprocess loop = start(EmulatedLoop.class)) {
            for (String command : List.of("read", "write")) {
                for (int bytes : SIZES) {
                    lines.add(measure(loop, command, bytes));
                }
            }
        }
        return lines;
    }

    private Line measure(Coprocess loop, String command, int bytes) throws IOException {
        long commands = sampleBytes / bytes;
        String rest = " %s %d %d".formatted(command, bytes, commands);
        double[][] times = new double[2][samples];
        double[] ratios = new double[samples];
        for (int i = -WARM_UPS; i < samples; i++) {
            double emulated = ask(loop, "emulated" + rest) / commands;
            double bare = ask(loop, "bare" + rest) / commands;
            if (i >= 0) {
                times[0][i] = emulated;
                times[1][i] = bare;
                ratios[i] = emulated / bare;
            }
        }
        return new Line(
                bytes, command, Spread.of(times[0]), Spread.of(times[1]), Spread.of(ratios));
    }

    List<Copied> copies() throws IOException {
        List<Copied> lines = new ArrayList<>();
        try (Coprocess loop = start(CopyLoop.class)) {
            for (int bytes : SIZES) {
                lines.add(copy(loop, bytes));
            }
        }
        return lines;
    }

    private Copied copy(Coprocess loop, int bytes) throws IOException {
        double[][] millis = new double[3][samples];
        double[] ratios = new double[samples];
        for (int i = -WARM_UPS; i < samples; i++) {
            double read = ask(loop, "read " + bytes) / 1e6;
            double write = ask(loop, "write " + bytes) / 1e6;
            double copy = ask(loop, "copy " + bytes) / 1e6;
            if (i >= 0) {
                millis[0][i] = read;
                millis[1][i] = write;
                millis[2][i] = copy;
                ratios[i] = copy / (read + write);
            }
        }
        return new Copied(
                bytes,
                Spread.of(millis[0]),
                Spread.of(millis[1]),
                Spread.of(millis[2]),
                Spread.of(ratios));
    }

    private static double ask(Coprocess loop, String line) throws IOException {
        return Double.parseDouble(loop.ask(line));
    }

    private Coprocess start(Class<?> main) throws IOException {
        Coprocess loop = new Coprocess(Machine.pinned(core, Machine.java(main)));
        try {
            loop.expectReady();
            return loop;
        } catch (IOException e) {
            loop.close();
            throw e;
        }
    }
}
