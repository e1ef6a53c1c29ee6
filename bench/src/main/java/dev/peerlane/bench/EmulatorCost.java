package dev.peerlane.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What the emulator adds to the copies that its commands come to, and what a whole copy adds to its
 * parts. Samples of what is compared follow each other in one program on one core; a ratio is the
 * median of the ratios of neighbours.
 */
final class EmulatorCost {
    /** Bytes of a command. */
    private static final List<Integer> SIZES = List.of(4 << 10, 16 << 10, 64 << 10, 128 << 10);

    private static final int WARM_UPS = 5;

    /**
     * Commands of one kind and size beside bare copies of the same bytes.
     *
     * @param emulated nanoseconds for a command
     * @param bare nanoseconds for its copies
     */
    record Line(int bytes, String command, Spread emulated, Spread bare, Spread ratio) {}

    /**
     * A copy with one chunk size beside its parts.
     *
     * @param read milliseconds for a GiB that is only read into the CMB
     * @param write milliseconds for a GiB that is only written from it
     * @param copy milliseconds for a GiB that is copied
     * @param ratio the copy's to the sum of its parts
     */
    record Copied(int bytes, Spread read, Spread write, Spread copy, Spread ratio) {}

    private final int core;
    private final int samples;
    private final long sampleBytes;

    /**
     * Prepares it.
     *
     * @param samples how many of each
     * @param sampleBytes how much a sample moves
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
