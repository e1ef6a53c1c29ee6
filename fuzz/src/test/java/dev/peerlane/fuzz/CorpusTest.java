package dev.peerlane.fuzz;

import static org.assertj.core.api.Assertions.assertThatCode;

import dev.peerlane.binding.StateTarget;
import dev.peerlane.qtest.QtestTarget;
import dev.peerlane.vfio.IoctlTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs every fuzz target on its corpus and on inputs mutated from it by a seed. */
class CorpusTest {
    private static final Path CORPUS = Path.of("src/test/resources/corpus");
    private static final int CHANGED_INPUTS =
            Math.ceilDiv(100, Integer.getInteger("peerlane.share", 1));
    private static final long SEED = 5;

    private static final Map<String, Consumer<byte[]>> TARGETS =
            new TreeMap<>(
                    Map.of(
                            "driver", DriverTarget::fuzzerTestOneInput,
                            "controller", ControllerTarget::fuzzerTestOneInput,
                            "fabric-file", FabricFileTarget::fuzzerTestOneInput,
                            "names", NamesTarget::fuzzerTestOneInput,
                            "capture", CaptureTarget::fuzzerTestOneInput,
                            "vfio-user", VfioUserTarget::fuzzerTestOneInput,
                            "ioctl", IoctlTarget::fuzzerTestOneInput,
                            "qtest", QtestTarget::fuzzerTestOneInput,
                            "state", StateTarget::fuzzerTestOneInput,
                            "arguments", ArgumentsTarget::fuzzerTestOneInput));

    private static List<String> targets() {
        return List.copyOf(TARGETS.keySet());
    }

    private static List<Path> inputs(String target) throws IOException {
        try (Stream<Path> files = Files.list(CORPUS.resolve(target))) {
            return files.sorted().toList();
        }
    }

    @Test
    void everyFolderOfInputsHasItsTarget() throws IOException {
        try (Stream<Path> folders = Files.list(CORPUS)) {
            org.assertj.core.api.Assertions.assertThat(
                            folders.map(f -> f.getFileName().toString()).sorted())
                    .containsExactlyElementsOf(targets());
        }
    }

    @ParameterizedTest
    @MethodSource("targets")
    void keptInputsEndInTypedErrorsOnly(String target) throws IOException {
        for (Path file : inputs(target)) {
            byte[] data = Files.readAllBytes(file);
            assertThatCode(() -> TARGETS.get(target).accept(data))
                    .as("./dev fuzz %s %s", target, file.toAbsolutePath())
                    .doesNotThrowAnyException();
        }
    }

    @ParameterizedTest
    @MethodSource("targets")
    void changedInputsEndInTypedErrorsOnly(String target) throws IOException {
        Random random = new Random(SEED);
        List<Path> files = inputs(target);
        for (int i = 0; i < CHANGED_INPUTS; i++) {
            byte[] data = Files.readAllBytes(files.get(i % files.size()));
            byte[] longer = java.util.Arrays.copyOf(data, data.length + random.nextInt(200));
            for (int changes = random.nextInt(40); changes > 0 && longer.length > 0; changes--) {
                longer[random.nextInt(longer.length)] = (byte) random.nextInt();
            }
            assertThatCode(() -> TARGETS.get(target).accept(longer))
                    .as("%s, input %d of seed %d", target, i, SEED)
                    .doesNotThrowAnyException();
        }
    }
}
