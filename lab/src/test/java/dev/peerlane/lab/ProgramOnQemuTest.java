package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the program in its own process, as a user runs it, on QEMU's controllers. */
@Tag("qemu")
class ProgramOnQemuTest {
    private static final int BYTES = 16 << 20;
    private static final int BLOCKS = BYTES / 512;

    @TempDir private Path directory;

    private record Ended(int status, String out, String err) {}

    private Ended peerlane(String... arguments) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC"));
        words.addAll(List.of("-cp", System.getProperty("java.class.path")));
        words.add("dev.peerlane.cli.Main");
        words.addAll(List.of(arguments));
        Path err = directory.resolve("err");
        Process process = new ProcessBuilder(words).redirectError(err.toFile()).start();
        process.getOutputStream().close();
        byte[] out = process.getInputStream().readAllBytes();
        int status = process.waitFor();
        return new Ended(status, new String(out, StandardCharsets.UTF_8), Files.readString(err));
    }

    private Path describe(Qemu qemu) throws IOException {
        return Files.writeString(
                directory.resolve("lab.yaml"),
                "kind: qemu\nsocket: %s\nram: %s\n".formatted(qemu.socket(), qemu.ram()));
    }

    private static Qemu start() {
        return Qemu.machine()
                .drive(Drive.named("ssd0").behindSwitch("sw").sizeMib(16).cmbMib(4))
                .drive(Drive.named("ssd1").behindSwitch("sw").sizeMib(16).cmbMib(4))
                .drive(Drive.named("ssd2").sizeMib(16).cmbMib(4))
                .start();
    }

    @Test
    void spdksArgumentsCopyAFileSystem() throws Exception {
        try (Qemu qemu = start()) {
            Ext4.make(qemu.image("ssd0"), BYTES, directory, new byte[] {1, 2, 3, 4});
            Ended run =
                    peerlane(
                            "cmb-copy",
                            "-r",
                            "qemu:03:00.0-1-0-" + BLOCKS,
                            "-w",
                            "qemu:04:00.0-1-0-" + BLOCKS,
                            "-c",
                            "qemu:04:00.0",
                            "--fabric",
                            describe(qemu).toString(),
                            "--yes",
                            "--json");
            assertThat(run.status()).as(run.err()).isZero();
            assertThat(run.out()).contains("\"target-cmb\"").contains("\"target-compare\"");
            assertThat(Ext4.check(qemu.image("ssd1"), directory))
                    .hasSize(22)
                    .isEqualTo(Ext4.check(qemu.image("ssd0"), directory));
        }
    }

    @Test
    void theDevicesOfAMachineAreListedAndTheirCmbIsTold() throws Exception {
        try (Qemu qemu = start()) {
            String fabric = describe(qemu).toString();
            Ended list = peerlane("list", "--fabric", fabric);
            assertThat(list.status()).isZero();
            assertThat(list.out()).contains("qemu:03:00.0", "qemu:05:00.0", "QEMU NVMe Ctrl");
            Ended cmb = peerlane("cmb", "qemu:05:00.0", "--fabric", fabric);
            assertThat(cmb.status()).isZero();
            assertThat(cmb.out()).contains("4 MiB", "CMBMSC", "BAR 2");
        }
    }

    @Test
    void withoutConfirmationNothingIsWritten() throws Exception {
        try (Qemu qemu = start()) {
            Ended run =
                    peerlane(
                            "copy",
                            "qemu:03:00.0@0+8",
                            "qemu:04:00.0",
                            "--fabric",
                            describe(qemu).toString());
            assertThat(run.status()).isEqualTo(3);
            assertThat(run.err()).contains("--yes");
            assertThat(Files.readAllBytes(qemu.image("ssd1"))).containsOnly(0);
        }
    }
}
