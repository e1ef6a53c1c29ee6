package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peerlane.PeerlaneException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The harness itself. */
class QemuTest {
    @Test
    void missingProgramNamesThePackage() {
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> Qemu.machine().binary("/nonexistent/qemu").start())
                .satisfies(e -> assertThat(e.code()).isEqualTo("qemu-not-started"))
                .satisfies(e -> assertThat(e.getMessage()).contains("/nonexistent/qemu"))
                .satisfies(e -> assertThat(e.remedy()).contains("qemu-system-x86"));
    }

    @Test
    @Tag("qemu")
    void whatQemuComplainsOfIsInTheMessage() {
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> Qemu.machine().drive(Drive.named("a").blockBytes(500)).start())
                .satisfies(e -> assertThat(e.getMessage()).contains("logical_block_size"));
    }

    @Test
    @Tag("qemu")
    void closingEndsTheProcessAndDeletesItsFiles() {
        Path directory;
        try (Qemu qemu = Qemu.machine().drive(Drive.named("a")).start()) {
            directory = qemu.socket().getParent();
            assertThat(qemu.image("a")).hasSize(16L << 20);
            assertThat(qemu.ram()).hasSize(256L << 20);
            qemu.attach().close();
            assertThat(qemu.errors()).isEmpty();
        }
        assertThat(Files.exists(directory)).isFalse();
    }
}
