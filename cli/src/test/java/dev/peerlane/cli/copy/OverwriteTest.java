package dev.peerlane.cli.copy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.harness.Shell;
import dev.peerlane.guard.SparseImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Checks that no command overwrites a file system, a partition table or the like without
 * --overwrite.
 */
class OverwriteTest {
    private static final String REFUSAL =
            "peerlane: emu:b/n1 carries a file system (ext4, at byte 1080). Name another target; if"
                    + " nothing on emu:b/n1 is needed any more, add --overwrite.";

    @TempDir private Path folder;

    private Path target;
    private Path fabric;
    private byte[] before;

    @BeforeEach
    void makeDrives() throws IOException {
        Path image = SparseImage.kept("ext4").write(folder);
        target = Files.move(image, folder.resolve("b.img"));
        before = Files.readAllBytes(target);
        fabric =
                Files.writeString(
                        folder.resolve("fabric.yaml"),
                        """
                        kind: emulator
                        drives:
                          - {name: a, size: 16MiB, cmb: {size: 1MiB}}
                          - {name: b, image: b.img, cmb: {size: 1MiB}}
                        """);
    }

    static Stream<List<String>> commands() {
        return Stream.of(
                List.of("copy", "emu:a@0+64", "emu:b", "--yes"),
                List.of("copy", "emu:a@0+64", "emu:b@30000", "--yes"),
                List.of("copy", "emu:a@0+64", "emu:b", "--dry-run"),
                List.of("cmb-copy", "-r", "emu:a-1-0-8", "-w", "emu:b-1-0-8", "-c", "emu:b", "-y"),
                List.of("litmus", "emu:a", "emu:b", "--scratch", "0+512", "--slots", "9", "--yes"),
                List.of("litmus", "emu:b", "emu:a", "--scratch", "0+512", "--slots", "9", "--yes"),
                List.of("bench", "emu:a", "emu:b", "--scratch", "emu:b/n1@0+512", "--yes"));
    }

    private Shell run(List<String> command, String... more) {
        return Shell.run(
                Stream.concat(
                                command.stream(),
                                Stream.concat(
                                        Stream.of("--fabric", fabric.toString()), Stream.of(more)))
                        .toArray(String[]::new));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void aFileSystemIsNamedAndNotWrittenOver(List<String> command) throws IOException {
        Shell refused = run(command);
        assertThat(refused.err().lines()).contains(REFUSAL);
        assertThat(refused.status()).isEqualTo(3);
        assertThat(Files.readAllBytes(target)).isEqualTo(before);
    }

    @Test
    void overwriteAllowsOverwriting() throws IOException {
        Shell copied = run(List.of("copy", "emu:a", "emu:b", "--yes"), "--overwrite");
        assertThat(copied.status()).as(copied.err()).isZero();
        assertThat(Files.readAllBytes(target)).containsOnly(0);
        Shell again = run(List.of("copy", "emu:a", "emu:b", "--yes"));
        assertThat(again.status()).as(again.err()).isZero();
    }

    @Test
    void overwriteDoesNotImplyYes() throws IOException {
        Shell asked = run(List.of("copy", "emu:a", "emu:b"), "--overwrite");
        assertThat(asked.status()).isEqualTo(3);
        assertThat(asked.err()).contains("--yes");
        assertThat(Files.readAllBytes(target)).isEqualTo(before);
    }

    @Test
    void litmusAndBenchTakeIt() {
        Shell litmus =
                run(
                        List.of("litmus", "emu:a", "emu:b", "--scratch", "0+512", "--slots", "9"),
                        "--yes",
                        "--overwrite");
        assertThat(litmus.status()).as(litmus.err()).isZero();
        Shell bench =
                run(
                        List.of("bench", "emu:a", "emu:b", "--scratch", "emu:b/n1@0+512"),
                        "--time",
                        "0.01",
                        "--yes",
                        "--overwrite");
        assertThat(bench.status()).as(bench.err()).isZero();
    }
}
