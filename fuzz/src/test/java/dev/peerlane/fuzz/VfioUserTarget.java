package dev.peerlane.fuzz;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Either side of vfio-user over a real socket, the other one played from the input: a client that
 * sends {@code peerlane serve}'s server anything, or a server that answers our client anything.
 * Nothing is thrown but typed errors, no descriptor and no mapping stays, and the server serves its
 * next client.
 */
public final class VfioUserTarget {
    private VfioUserTarget() {}

    /** Runs one input: its first byte says which side is played. */
    public static void fuzzerTestOneInput(byte[] data) {
        Input input = new Input(data);
        boolean client = (input.int8() & 1) == 0;
        try {
            Path folder = Files.createTempDirectory("fuzz");
            long files = openFiles();
            long mappings = mappings();
            if (client) {
                FuzzedUserClient.run(input, folder);
            } else {
                FuzzedUserServer.run(input, folder.resolve("s"));
            }
            Files.deleteIfExists(folder.resolve("s"));
            Files.delete(folder);
            if (openFiles() != files || mappings() != mappings) {
                throw new AssertionError("descriptors or mappings stayed open");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long openFiles() {
        return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
    }

    private static long mappings() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains("/memfd:")).count();
        }
    }
}
