package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The program as a process: streams, exit statuses, Ctrl-C. */
@Timeout(120)
class MainTest {
    private static final int IGNORED_SIGNALS_OF_A_SHELL = 1 << 1; // SIGINT is 2

    @TempDir private Path folder;

    private Process start(String... args) throws IOException {
        return new ProcessBuilder(command(args)).start();
    }

    private List<String> command(String... args) throws IOException {
        List<String> command = new ArrayList<>();
        if (interruptsAreIgnored()) {
            command.addAll(List.of("env", "--default-signal=INT"));
        }
        command.addAll(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName()));
        command.addAll(List.of(args));
        return command;
    }

    /** A background job of a shell ignores Ctrl-C, and so would the processes it starts. */
    private static boolean interruptsAreIgnored() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return false;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                .anyMatch(mask -> (mask & IGNORED_SIGNALS_OF_A_SHELL) != 0);
    }

    private static String text(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private static int ended(Process process) throws InterruptedException {
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    @Test
    void theExitStatusIsTheCommands() throws Exception {
        Process good = start("--version");
        assertThat(text(good)).startsWith("peerlane ");
        assertThat(ended(good)).isZero();
        Process refused = start("copy", "emu:ssd0", "emu:ssd1", "--json");
        refused.getOutputStream().close();
        assertThat(Shell.parse(text(refused)).get("result").asText()).isEqualTo("refused");
        assertThat(ended(refused)).isEqualTo(3);
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void ctrlCEndsACopyWith130AndAReceiptOfHowFarItCame() throws Exception {
        Path fabric =
                Files.writeString(
                        folder.resolve("slow.yaml"),
                        """
                        kind: emulator
                        drives:
                          - {name: a, size: 1GiB, bytesPerSecond: 4MiB, cmb: {size: 1MiB}}
                          - {name: b, size: 1GiB, bytesPerSecond: 4MiB, cmb: {size: 1MiB}}
                        """);
        Process copy =
                start(
                        "copy",
                        "emu:a",
                        "emu:b",
                        "--yes",
                        "-v",
                        "--json",
                        "--fabric",
                        fabric.toString());
        BufferedReader err =
                new BufferedReader(
                        new InputStreamReader(copy.getErrorStream(), StandardCharsets.UTF_8));
        String line = err.readLine();
        while (line != null && !line.startsWith("Copying by")) {
            line = err.readLine();
        }
        assertThat(line).as("it began").isEqualTo("Copying by target-cmb.");
        Process kill = new ProcessBuilder("kill", "-INT", Long.toString(copy.pid())).start();
        assertThat(kill.waitFor()).isZero();
        JsonNode receipt = Shell.parse(text(copy));
        assertThat(ended(copy)).isEqualTo(130);
        assertThat(receipt.get("result").asText()).isEqualTo("failed");
        assertThat(receipt.get("error").get("code").asText()).isEqualTo("interrupted");
        assertThat(receipt.get("bytesCopied").asLong()).isLessThan(1 << 30);
        assertThat(receipt.get("verify").get("result").asText()).isEqualTo("not run");
        assertThat(err.lines()).anyMatch(l -> l.startsWith("peerlane: "));
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullStandardOutputIsNoticed() throws Exception {
        ProcessBuilder list =
                new ProcessBuilder(command("copy", "emu:ssd0@0+8", "emu:ssd1", "--yes", "--json"));
        Process full = list.redirectOutput(new File("/dev/full")).start();
        String err = new String(full.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(ended(full)).isEqualTo(2);
        assertThat(err)
                .contains("peerlane: Copied 4 KiB")
                .contains("could not write to standard output: ")
                .doesNotContain("at dev.peerlane");
    }

    /** The Write under way takes as long as the drive wants: its end is waited for. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aSignalWaitsForTheCommandUnderWayAndASecondOneDoesNot() throws Exception {
        for (int signals = 1; signals <= 2; signals++) {
            Path fabric =
                    Files.writeString(
                            folder.resolve("slow.yaml"),
                            """
                            kind: emulator
                            drives:
                              - {name: a, size: 1MiB, cmb: {size: 1MiB}}
                              - {name: b, size: 1MiB, cmb: {size: 1MiB}}
                            faults:
                              - {kind: slow, drive: b, queue: io, opcode: 1, delayMicros: %d}
                            """
                                    .formatted(signals == 1 ? 1_500_000 : 25_000_000));
            Process copy =
                    start("copy", "emu:a", "emu:b", "--yes", "-v", "--json", "--fabric=" + fabric);
            BufferedReader err = copy.errorReader(StandardCharsets.UTF_8);
            awaits(err, "Copying by");
            signal(copy, "-TERM");
            awaits(err, "peerlane: Stopping");
            if (signals == 2) {
                signal(copy, "-INT");
                awaits(err, "peerlane: Ended at once: how much of blocks 0 to 2047 of emu:b/n1");
                assertThat(ended(copy)).isEqualTo(130);
                assertThat(text(copy)).isEmpty();
                continue;
            }
            JsonNode receipt = Shell.parse(text(copy));
            assertThat(ended(copy)).isEqualTo(143);
            assertThat(receipt.get("error").get("code").asText()).isEqualTo("interrupted");
            assertThat(err.lines()).noneMatch(l -> l.startsWith("Warning"));
        }
    }

    private static void awaits(BufferedReader err, String begin) throws IOException {
        String line = err.readLine();
        while (line != null && !line.startsWith(begin)) {
            line = err.readLine();
        }
        assertThat(line).as("a line that starts with " + begin).isNotNull();
    }

    private static void signal(Process to, String which) throws Exception {
        Process kill = new ProcessBuilder("kill", which, Long.toString(to.pid())).start();
        assertThat(kill.waitFor()).isZero();
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void ctrlCEndsALitmusRunWith130AndLeavesOnlyItsPatternInTheScratchRanges() throws Exception {
        Drives drives = new Drives(folder);
        byte[] source = drives.bytes("a.img");
        byte[] target = drives.bytes("b.img");
        String[] args = {
            "litmus", "emu:a", "emu:b", "--scratch=64+256", "--slots=1000000000", "--yes", "--json"
        };
        Process litmus = start(Drives.with(drives.usual(), args));
        int from = 64 * 512;
        int to = from + 256 * 512;
        byte[] a = source;
        byte[] b = target;
        while (litmus.isAlive() && (isIn(a, source, from, to) || isIn(b, target, from, to))) {
            a = drives.bytes("a.img");
            b = drives.bytes("b.img");
        }
        assertThat(litmus.isAlive()).as("it counts").isTrue();
        Process kill = new ProcessBuilder("kill", "-INT", Long.toString(litmus.pid())).start();
        assertThat(kill.waitFor()).isZero();
        JsonNode document = Shell.parse(text(litmus));
        String err = new String(litmus.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(ended(litmus)).isEqualTo(130);
        assertThat(document.get("result").asText()).isEqualTo("interrupted");
        assertThat(document.get("error").get("code").asText()).isEqualTo("interrupted");
        assertThat(err).as("CMB and queues went back").doesNotContain("Warning");
        a = drives.bytes("a.img");
        b = drives.bytes("b.img");
        assertThat(Arrays.equals(a, from, to, b, from, to)).as("one pattern on both").isTrue();
        assertThat(isIn(a, source, 0, from) && isIn(a, source, to, Drives.BYTES)).isTrue();
        assertThat(isIn(b, target, 0, from) && isIn(b, target, to, Drives.BYTES)).isTrue();
    }

    private static boolean isIn(byte[] now, byte[] before, int from, int to) {
        return Arrays.equals(now, from, to, before, from, to);
    }
}
