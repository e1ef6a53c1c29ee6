package dev.peerlane.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Measures how many Reads per second the driver does on a drive that another process serves over
 * vfio-user. Each process has one core. One drive moves no data; another is in memory.
 */
final class ServedCost {
    /** A case: bytes of a Read, Reads in flight, SGL or PRPs, and the drive. */
    record Case(int bytes, int depth, boolean sgl, boolean memory) {
        /** Returns a description for people. */
        String text() {
            return "%d KiB, depth %d%s".formatted(bytes >> 10, depth, pointer());
        }

        /** Returns an axis label. */
        String label() {
            return "%d KiB×%d%s".formatted(bytes >> 10, depth, pointer().replace(",", ""));
        }

        private String pointer() {
            String form = bytes <= 8192 ? "" : sgl ? ", SGL" : ", PRPs";
            return form + (memory ? ", memory" : "");
        }
    }

    /** The result of a case, in Reads per second. */
    record Line(Case measured, Spread perSecond) {}

    private static final List<Case> CASES =
            List.of(
                    new Case(4096, 1, true, false),
                    new Case(4096, 32, true, false),
                    new Case(4096, 128, true, false),
                    new Case(128 << 10, 32, false, false),
                    new Case(128 << 10, 32, true, false),
                    new Case(4096, 32, true, true),
                    new Case(16 << 10, 32, true, true),
                    new Case(64 << 10, 32, true, true),
                    new Case(128 << 10, 32, true, true),
                    new Case(128 << 10, 32, false, true));

    private static final double SECOND = 1e9;

    /** The runs until both programs are compiled: measurements rise up to 1.5 million commands. */
    private static final int WARMING_RUNS = 20;

    private static final long WARMING_COMMANDS = 100_000;

    private ServedCost() {}

    /**
     * Measures all cases.
     *
     * @param samples the number of samples of each case
     * @param commands the Reads per sample at full depth; a quarter of that at depth 1
     */
    static List<Line> measure(int serverCore, int clientCore, int samples, long commands)
            throws IOException {
        List<Line> lines = new ArrayList<>();
        for (Case one : CASES) {
            lines.add(new Line(one, measure(one, serverCore, clientCore, samples, commands)));
        }
        return lines;
    }

    private static Spread measure(
            Case one, int serverCore, int clientCore, int samples, long commands)
            throws IOException {
        Path folder = Files.createTempDirectory("peerlane-bench");
        String medium = one.memory() ? ServedDrive.MEMORY : "null";
        List<String> server = Machine.java(ServedDrive.class, folder.toString(), medium);
        Path socket = folder.resolve(ServedDrive.SOCKET);
        try (Coprocess served = new Coprocess(Machine.pinned(serverCore, server))) {
            served.expectReady();
            List<String> client =
                    Machine.java(
                            ServedLoop.class,
                            socket.toString(),
                            Integer.toString(one.bytes()),
                            one.sgl() ? "sgl" : "prp",
                            medium);
            try (Coprocess loop = new Coprocess(Machine.pinned(clientCore, client))) {
                loop.expectReady();
                int share = one.depth() == 1 ? 4 : one.memory() ? one.bytes() >> 10 : 1;
                for (int i = 0; i < WARMING_RUNS; i++) {
                    loop.ask(one.depth() + " " + WARMING_COMMANDS / share);
                }
                long reads = commands / share;
                double[] perSecond = new double[samples];
                for (int i = 0; i < samples; i++) {
                    double nanos = Double.parseDouble(loop.ask(one.depth() + " " + reads));
                    perSecond[i] = reads * SECOND / nanos;
                }
                return Spread.of(perSecond);
            }
        } finally {
            // the server is killed, so it cleans up nothing
            try (Stream<Path> left = Files.walk(folder)) {
                for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }
}
