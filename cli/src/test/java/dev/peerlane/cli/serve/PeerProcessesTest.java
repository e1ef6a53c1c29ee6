package dev.peerlane.cli.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.ServedProcess;
import dev.peerlane.cli.harness.Shell;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests copies between three drives, each served by its own process: source, target and a third.
 * The data passes through memory of one process that the others have mapped by its descriptor.
 */
@Timeout(120)
@Tag("long")
class PeerProcessesTest {
    private static final int BYTES = 3 << 20;

    @TempDir private static Path folder;
    private static ServedProcess source;
    private static ServedProcess target;
    private static ServedProcess third;

    @BeforeAll
    static void serve() throws IOException {
        Files.write(folder.resolve("a.img"), new byte[BYTES]);
        Files.write(folder.resolve("b.img"), new byte[BYTES]);
        source = ServedProcess.start(folder, "first", drive("a", "image: a.img"));
        target = ServedProcess.start(folder, "second", drive("b", "image: b.img"));
        third = ServedProcess.start(folder, "third", drive("c", "size: 1MiB"));
    }

    private static String drive(String name, String medium) {
        return "{name: %s, %s, blockBytes: 512, cmb: {size: 512KiB}}".formatted(name, medium);
    }

    @AfterAll
    static void end() throws IOException {
        for (ServedProcess process : new ServedProcess[] {source, target, third}) {
            if (process != null) {
                process.close();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "source, source-cmb, 1",
        "target, target-cmb, 2",
        "third, third-party-cmb, 3",
        "host, host, 4"
    })
    void copyBetweenProcessesThroughEveryBuffer(String which, String kind, long seed)
            throws IOException {
        byte[] data = new byte[BYTES];
        new SplittableRandom(seed).nextBytes(data);
        Files.write(folder.resolve("a.img"), data);
        String buffer = which.equals("third") ? third.locator(0) : which;
        Shell copy =
                Shell.run(
                        "copy",
                        source.locator(0),
                        target.locator(0),
                        "--yes",
                        "--json",
                        "--buffer",
                        buffer);
        assertThat(copy.status()).as(copy.err()).isZero();
        JsonNode receipt = copy.json();
        assertThat(receipt.at("/buffer/kind").asText()).isEqualTo(kind);
        assertThat(receipt.at("/bytesCopied").asLong()).isEqualTo(BYTES);
        assertThat(receipt.at("/verify/result").asText()).isEqualTo("ok");
        assertThat(Files.readAllBytes(folder.resolve("b.img"))).isEqualTo(data);
        assertThat(Files.readAllBytes(folder.resolve("a.img"))).isEqualTo(data);
    }

    @Test
    void cmbOfOneProcessIsMappedIntoAnotherThatUsesItAndLetGoAgain() throws IOException {
        List<Path> sockets =
                List.of(
                        folder.resolve("a.sock"),
                        folder.resolve("b.sock"),
                        folder.resolve("c.sock"));
        try (VfioUserFabric fabric = VfioUserFabric.open(sockets);
                PciDevice user = fabric.open(source.locator(0));
                PciDevice owner = fabric.open(third.locator(0))) {
            try (PeerMapping mapping =
                    fabric.dma().mapPeer(owner, owner.bar(2), 0, owner.bar(2).sizeBytes())) {
                assertThat(mapping.busAddress()).isEqualTo(owner.bar(2).pciAddress());
                assertThat(source.maps("peerlane-c")).isFalse();
                mapping.admit(user.bdf());
                assertThat(source.maps("peerlane-c")).isTrue();
                assertThat(target.maps("peerlane-c")).as("it takes no part").isFalse();
            }
            assertThat(source.maps("peerlane-c")).isFalse();
        }
    }

    @Test
    void planBetweenProcessesSaysThatServersMapEachOthersMemory() {
        Shell copy =
                Shell.run(
                        "copy",
                        source.locator(0),
                        target.locator(0),
                        "--dry-run",
                        "--json",
                        "--buffer",
                        third.locator(0));
        assertThat(copy.status()).as(copy.err()).isZero();
        assertThat(copy.out()).contains("vfio-user servers map each other's memory");
    }
}
