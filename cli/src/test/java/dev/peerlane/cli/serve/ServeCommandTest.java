package dev.peerlane.cli.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.ServedProcess;
import dev.peerlane.cli.harness.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests serving drives in one process and copying between them in another. */
class ServeCommandTest {
    private static final int BYTES = 4 << 20;

    @TempDir private Path folder;

    @Test
    @Timeout(60)
    void copyBetweenServedDrivesGoesThroughTheCmbOfOneInAnotherProcess() throws Exception {
        byte[] data = new byte[BYTES];
        new SplittableRandom(5).nextBytes(data);
        Files.write(folder.resolve("a.img"), data);
        Files.write(folder.resolve("b.img"), new byte[BYTES]);
        ServedProcess server =
                ServedProcess.start(
                        folder,
                        "both",
                        "{name: a, image: a.img, cmb: {size: 1MiB}}",
                        "{name: b, image: b.img, cmb: {size: 1MiB}}");
        try (server) {
            String a = server.locator(0);
            String b = server.locator(1);
            assertThat(a).isEqualTo("vfio-user:" + folder.resolve("a.sock"));
            Shell copy = Shell.run("copy", a, b, "--yes", "--json", "--buffer", "target");
            assertThat(copy.status()).as(copy.err()).isZero();
            JsonNode receipt = Shell.parse(copy.out());
            assertThat(receipt.at("/buffer/kind").asText()).isEqualTo("target-cmb");
            assertThat(receipt.at("/bytesCopied").asLong()).isEqualTo(BYTES);
            assertThat(receipt.at("/verify/result").asText()).isEqualTo("ok");
            assertThat(Files.readAllBytes(folder.resolve("b.img"))).isEqualTo(data);
            // the drives are free for the next client
            assertThat(Shell.run("identify", b).status()).isZero();
            assertThat(Shell.run("identify", "vfio-user:" + folder.resolve("b")).status()).isZero();
        }
        assertThat(folder.resolve("a.sock")).doesNotExist();
        assertThat(folder.resolve("a")).doesNotExist();
        assertThat(server.said())
                .contains("a: a client connected")
                .contains("Data moves each contiguous run at once (transfers: runs)");
    }

    @Test
    void folderAndFabricThatCannotServeAreRefused() throws IOException {
        Shell none = Shell.run("serve", folder.resolve("nowhere").toString());
        assertThat(none.status()).isEqualTo(1);
        assertThat(none.err()).contains("is not a directory");
        Path file = folder.resolve("q.yaml");
        Files.writeString(file, "kind: qemu\nsocket: s\nram: r");
        Shell qemu = Shell.run("serve", folder.toString(), "--fabric", file.toString());
        assertThat(qemu.status()).isEqualTo(1);
        assertThat(qemu.err()).contains("describes no emulated drives");
        assertThat(Shell.run("serve").status()).isEqualTo(1);
    }
}
