package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The program serves drives in one process and copies between them in another. */
class ServeCommandTest {
    private static final int BYTES = 4 << 20;

    @TempDir private Path folder;

    private Process serve() throws IOException {
        Files.writeString(
                folder.resolve("fabric.yaml"),
                """
                kind: emulator
                drives:
                  - {name: a, image: a.img, cmb: {size: 1MiB}}
                  - {name: b, image: b.img, cmb: {size: 1MiB}}
                """);
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.peerlane.cli.Main",
                        "serve",
                        folder.toString(),
                        "--fabric",
                        folder.resolve("fabric.yaml").toString())
                .redirectError(folder.resolve("err").toFile())
                .start();
    }

    @Test
    @Timeout(60)
    void copyBetweenServedDrivesGoesThroughTheCmbOfOneInAnotherProcess() throws Exception {
        byte[] data = new byte[BYTES];
        new SplittableRandom(5).nextBytes(data);
        Files.write(folder.resolve("a.img"), data);
        Files.write(folder.resolve("b.img"), new byte[BYTES]);
        Process server = serve();
        try (BufferedReader out = server.inputReader(StandardCharsets.UTF_8)) {
            String a = out.readLine();
            String b = out.readLine();
            assertThat(a).as(() -> said()).isEqualTo("vfio-user:" + folder.resolve("a.sock"));
            Shell copy = Shell.run("copy", a, b, "--yes", "--json", "--buffer", "target");
            assertThat(copy.status()).as(copy.err()).isZero();
            JsonNode receipt = Shell.parse(copy.out());
            assertThat(receipt.at("/buffer/kind").asText()).isEqualTo("target-cmb");
            assertThat(receipt.at("/bytesCopied").asLong()).isEqualTo(BYTES);
            assertThat(receipt.at("/verify/result").asText()).isEqualTo("ok");
            assertThat(Files.readAllBytes(folder.resolve("b.img"))).isEqualTo(data);
            // the next client finds the drives free again
            assertThat(Shell.run("identify", b).status()).isZero();
        } finally {
            server.destroy();
            assertThat(server.waitFor(20, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(folder.resolve("a.sock")).doesNotExist();
        assertThat(said()).contains("a: a client has come");
    }

    private String said() {
        try {
            return Files.readString(folder.resolve("err"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void folderAndFabricThatCannotServeAreRefused() throws IOException {
        Shell none = Shell.run("serve", folder.resolve("nowhere").toString());
        assertThat(none.status()).isEqualTo(1);
        assertThat(none.err()).contains("is no folder");
        Path file = folder.resolve("q.yaml");
        Files.writeString(file, "kind: qemu\nsocket: s\nram: r");
        Shell qemu = Shell.run("serve", folder.toString(), "--fabric", file.toString());
        assertThat(qemu.status()).isEqualTo(1);
        assertThat(qemu.err()).contains("describes no emulated drives");
        assertThat(Shell.run("serve").status()).isEqualTo(1);
    }
}
