package dev.peerlane.cli;

import static dev.peerlane.cli.harness.ProgramProcess.awaits;
import static dev.peerlane.cli.harness.ProgramProcess.command;
import static dev.peerlane.cli.harness.ProgramProcess.ended;
import static dev.peerlane.cli.harness.ProgramProcess.signal;
import static dev.peerlane.cli.harness.ProgramProcess.start;
import static dev.peerlane.cli.harness.ProgramProcess.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Drives;
import dev.peerlane.cli.harness.Shell;
import java.io.BufferedReader;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Runs the program as a process: streams, exit statuses, Ctrl-C. */
@Timeout(120)
class MainTest {
    @TempDir private Path folder;

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
        BufferedReader err = copy.errorReader(StandardCharsets.UTF_8);
        assertThat(awaits(err, "Copying through")).isEqualTo("Copying through target-cmb.");
        signal(copy, "-INT");
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
        List<String> copy =
                command(List.of(), "copy", "emu:ssd0@0+8", "emu:ssd1", "--yes", "--json");
        Process full = new ProcessBuilder(copy).redirectOutput(new File("/dev/full")).start();
        String err = new String(full.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(ended(full)).isEqualTo(2);
        assertThat(err)
                .contains("peerlane: Copied 4 KiB")
                .contains("can't write to standard output: ")
                .doesNotContain("at dev.peerlane");
    }

    /** The program waits for the Write in flight, however long the drive takes. */
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
            awaits(err, "Copying through");
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
        signal(litmus, "-INT");
        JsonNode document = Shell.parse(text(litmus));
        String err = new String(litmus.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(ended(litmus)).isEqualTo(130);
        assertThat(document.get("result").asText()).isEqualTo("interrupted");
        assertThat(document.get("error").get("code").asText()).isEqualTo("interrupted");
        assertThat(err).as("CMB and queues were released").doesNotContain("Warning");
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
