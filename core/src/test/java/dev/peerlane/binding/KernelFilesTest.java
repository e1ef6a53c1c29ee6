package dev.peerlane.binding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Tests folders that vanish while they are read. */
class KernelFilesTest {
    @TempDir private Path directory;

    @Test
    @EnabledOnOs(OS.LINUX)
    void aProcessThatEndsWhileItsDescriptorsAreListedHasNone()
            throws IOException, InterruptedException {
        Process other = new ProcessBuilder("sleep", "1000").start();
        Path descriptors = Path.of("/proc", String.valueOf(other.pid()), "fd");
        try (DirectoryStream<Path> open = Files.newDirectoryStream(descriptors)) {
            other.destroyForcibly().waitFor();
            assertThat(KernelFiles.entries(descriptors, open, 100)).isEmpty();
        } finally {
            other.destroyForcibly();
        }
        assertThat(KernelFiles.entries(descriptors, 100)).isEmpty();
    }

    @Test
    void entriesAreSortedAndMoreThanExpectedAreAnError() throws IOException {
        for (String name : List.of("c", "a", "b")) {
            Files.createFile(directory.resolve(name));
        }
        assertThat(KernelFiles.entries(directory, 3))
                .extracting(e -> e.getFileName().toString())
                .containsExactly("a", "b", "c");
        assertThatThrownBy(() -> KernelFiles.entries(directory, 2))
                .isInstanceOf(PeerlaneException.class)
                .hasMessage(directory + " has more than 2 entries");
    }
}
