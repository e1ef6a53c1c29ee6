package dev.peerlane.fuzz;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Fuzzes one side of vfio-user over a real socket, with the other side played from the input: a
 * client that sends anything to the server of {@code peerlane serve}, or a server that answers our
 * client with anything. Only typed errors are thrown, no descriptor or mapping stays open, and the
 * server serves its next client.
 */
public final class VfioUserTarget {
    private VfioUserTarget() {}

    /** Runs one input, whose first byte selects the played side. */
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
