package dev.peerlane.cli;

import static dev.peerlane.cli.harness.ProgramProcess.awaits;
import static dev.peerlane.cli.harness.ProgramProcess.ended;
import static dev.peerlane.cli.harness.ProgramProcess.signal;
import static dev.peerlane.cli.harness.ProgramProcess.start;
import static dev.peerlane.cli.harness.ProgramProcess.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.ServedProcess;
import dev.peerlane.cli.harness.Shell;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Runs the program in a Java runtime that does not pass on signals. */
@Timeout(120)
@EnabledOnOs(OS.LINUX)
@Tag("long")
class LostSignalsTest {
    /** A runtime image without the module that passes on signals. */
    private static final List<String> SMALL = List.of("--limit-modules=java.management");

    private static final int BYTES = 16 << 20;

    @TempDir private Path folder;

    private static boolean isZero(FileChannel file) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) file.size());
        while (bytes.hasRemaining() && file.read(bytes, bytes.position()) > 0) {}
        assertThat(bytes.hasRemaining()).isFalse();
        for (byte b : bytes.array()) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    @Test
    void aCopyThatASignalEndsHasItsReceiptAndAWipedCmb() throws Exception {
        byte[] data = new byte[BYTES];
        new SplittableRandom(5).nextBytes(data);
        Files.write(folder.resolve("a.img"), data);
        String slow =
                "{kind: slow, drive: b, queue: io, opcode: 1, times: 9999, delayMicros: 1000000}";
        try (ServedProcess server =
                ServedProcess.start(
                        folder,
                        "served",
                        "{name: a, image: a.img, blockBytes: 512}",
                        "{name: b, size: 16MiB, blockBytes: 512, cmb: {size: 512KiB}}"
                                + "\nfaults:\n  - "
                                + slow)) {
            // a new file replaces it when the client disconnects; this one keeps what the client
            // left
            try (FileChannel cmb = server.open("peerlane-b")) {
                Process copy =
                        start(
                                SMALL,
                                "copy",
                                server.locator(0),
                                server.locator(1),
                                "--buffer=target",
                                "--yes",
                                "--json");
                while (isZero(cmb)) {
                    assertThat(copy.isAlive()).as("it copies").isTrue();
                }
                signal(copy, "-TERM");
                BufferedReader err = copy.errorReader(StandardCharsets.UTF_8);
                assertThat(awaits(err, "peerlane: Stopping"))
                        .contains("waiting for commands in flight")
                        .contains("Further signals are ignored")
                        .contains("jdk.unsupported");
                JsonNode receipt = Shell.parse(text(copy));
                assertThat(ended(copy)).isEqualTo(143);
                assertThat(receipt.at("/error/code").asText()).isEqualTo("interrupted");
                assertThat(receipt.at("/bytesCopied").asLong()).isLessThan(BYTES);
                assertThat(err.lines()).noneMatch(line -> line.startsWith("Warning"));
                assertThat(isZero(cmb)).as("it is wiped").isTrue();
            }
        }
    }

    @Test
    void theProgramsOwnExitDoesNotWait() throws Exception {
        Process good = start(SMALL, "--version");
        assertThat(text(good)).startsWith("peerlane ");
        assertThat(ended(good)).isZero();
        assertThat(good.errorReader(StandardCharsets.UTF_8).lines()).isEmpty();
        Process wrong = start(SMALL, "no-such-command");
        assertThat(ended(wrong)).isEqualTo(1);
        assertThat(wrong.errorReader(StandardCharsets.UTF_8).lines())
                .noneMatch(line -> line.contains("Stopping"));
    }

    @Test
    void aStoppedServerSaysWhatItDoesAndRemovesItsSockets() throws Exception {
        Process serve = start(SMALL, "serve", folder.toString());
        awaits(serve.inputReader(StandardCharsets.UTF_8), "vfio-user:");
        signal(serve, "-TERM");
        assertThat(awaits(serve.errorReader(StandardCharsets.UTF_8), "peerlane: Stopping"))
                .startsWith(
                        "peerlane: Stopping: clients are disconnected, and the sockets are"
                                + " removed.");
        assertThat(ended(serve)).isEqualTo(143);
        assertThat(folder.toFile().list()).noneMatch(name -> name.endsWith(".sock"));
    }

    @Test
    void theProgramWarnsIfASignalWouldEndItAtOnce() throws Exception {
        Process program = start(List.of("-Xrs"), "--version");
        assertThat(awaits(program.errorReader(StandardCharsets.UTF_8), "Warning: "))
                .contains("SIGINT, SIGTERM and SIGHUP")
                .contains("(-Xrs)")
                .contains("Start Java without -Xrs");
        assertThat(ended(program)).isZero();
    }
}
