package dev.peerlane.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Drives;
import dev.peerlane.cli.harness.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("long")
final class BenchCommandTest {
    @TempDir private Path folder;
    private Drives drives;

    @BeforeEach
    void makeImages() {
        drives = new Drives(folder);
    }

    private String lying(String how) {
        return drives.fabric(
                """
                kind: emulator
                %s
                drives:
                  - {name: a, image: a.img, serial: SA, cmb: {size: 1MiB}}
                  - {name: b, image: b.img, serial: SB, cmb: {size: 1MiB}}
                """
                        .formatted(how));
    }

    private static Shell bench(String fabric, String... more) {
        List<String> args =
                new ArrayList<>(List.of("bench", "--fabric", fabric, "--time", "0.002"));
        args.addAll(List.of(more));
        return Shell.run(args.toArray(new String[0]));
    }

    private static List<JsonNode> cells(Shell shell, String direction, boolean peer) {
        return StreamSupport.stream(shell.json().get("cells").spliterator(), false)
                .filter(c -> c.get("direction").asText().equals(direction))
                .filter(c -> !c.get("memory").asText().equals("host"))
                .filter(c -> peer != c.get("memory").equals(c.get("initiator")))
                .toList();
    }

    @Test
    void everyWayIsMeasuredAndNoMediumIsTouched() {
        byte[] source = drives.bytes("a.img");
        Shell shell = bench(drives.usual(), "--json", "--depth", "4", "--sweep", "none");
        assertThat(shell.status()).as(shell.err()).isZero();
        JsonNode document = shell.json();
        assertThat(document.get("schema").asText()).isEqualTo("peerlane.bench/1");
        assertThat(document.get("cells")).hasSize(2 * 3 * 2);
        for (JsonNode cell : document.get("cells")) {
            assertThat(cell.get("outcome").asText()).isEqualTo("measured");
            assertThat(cell.get("bytesPerSecond").asDouble()).isPositive();
            assertThat(cell.get("address").asText()).startsWith("0x");
            assertThat(cell.get("canaries").asInt()).isPositive();
            assertThat(cell.get("compilerSeconds").asDouble()).isNotNegative();
            JsonNode latency = cell.get("latencyMicros");
            assertThat(latency.get("p99").asDouble())
                    .isGreaterThanOrEqualTo(latency.get("p50").asDouble());
        }
        assertThat(document.get("notes").toString()).contains("drives are emulated");
        assertThat(drives.bytes("a.img")).isEqualTo(source);
        drives.assertTargetUntouched();
    }

    @Test
    void peerWritesThatVanishAreVoidAndNoBandwidth() {
        Shell shell = bench(lying("peerWrites: vanish"), "--json", "--sweep", "none");
        assertThat(shell.status()).isEqualTo(4);
        assertThat(shell.json().get("result").asText()).isEqualTo("void");
        assertThat(cells(shell, "write", true))
                .hasSize(2)
                .allSatisfy(c -> {
                    assertThat(c.get("outcome").asText()).isEqualTo("void");
                    assertThat(c.get("bytesPerSecond").isNull()).isTrue();
                    assertThat(c.get("reason").asText()).contains("canary did not change");
                });
        assertThat(cells(shell, "write", false))
                .allSatisfy(c -> assertThat(c.get("outcome").asText()).isEqualTo("measured"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ones", "zeroes", "other-memory"})
    void peerReadsOfSomethingElseAreVoidAndNoBandwidth(String what) {
        Shell shell = bench(lying("peerReads: " + what), "--json", "--sweep", "none");
        assertThat(shell.status()).isEqualTo(4);
        assertThat(cells(shell, "read", true))
                .hasSize(2)
                .allSatisfy(c -> {
                    assertThat(c.get("outcome").asText()).isEqualTo("void");
                    assertThat(c.get("bytesPerSecond").isNull()).isTrue();
                });
        assertThat(cells(shell, "write", true))
                .allSatisfy(c -> assertThat(c.get("outcome").asText()).isEqualTo("measured"));
    }

    @Test
    void aComparisonThatIsAlwaysEqualIsVoid() throws IOException {
        // zeroes on the medium and zeroes from the peer: only the changed bit makes a difference
        Files.write(folder.resolve("a.img"), new byte[Drives.BYTES]);
        Shell shell = bench(lying("peerReads: zeroes"), "--json", "--sweep", "none");
        assertThat(cells(shell, "read", true).getFirst().get("reason").asText())
                .contains("a Compare with a changed bit did not end in Compare Failure");
    }

    @Test
    void writesStayInsideTheScratchRange() {
        byte[] before = drives.bytes("b.img");
        Shell shell =
                bench(
                        drives.usual(),
                        "--scratch",
                        "emu:b@64+512",
                        "--yes",
                        "--size",
                        "4KiB",
                        "--depth",
                        "8",
                        "--sweep",
                        "none",
                        "--json");
        assertThat(shell.status()).as(shell.err()).isZero();
        assertThat(shell.json().get("cells").findValuesAsText("command")).contains("Write");
        byte[] after = drives.bytes("b.img");
        assertThat(after).isNotEqualTo(before);
        int from = 64 * 512;
        int to = (64 + 512) * 512;
        assertThat(Arrays.mismatch(after, 0, from, before, 0, from)).isEqualTo(-1);
        assertThat(Arrays.mismatch(after, to, after.length, before, to, after.length))
                .isEqualTo(-1);
    }

    @Test
    void writesThatTookOtherDataAreVoid() {
        Shell shell =
                bench(
                        lying("peerReads: ones"),
                        "--scratch",
                        "emu:b@0+512",
                        "--yes",
                        "--json",
                        "--size",
                        "4KiB",
                        "--depth",
                        "4",
                        "--sweep",
                        "none");
        assertThat(cells(shell, "read", true))
                .filteredOn(c -> c.get("command").asText().equals("Write"))
                .hasSize(1)
                .allSatisfy(c ->
                        assertThat(c.get("reason").asText())
                                .contains("a canary is not on the medium"));
    }

    @Test
    void sweepsFileAndReportNameEveryWay() throws IOException {
        Path csv = folder.resolve("bench.csv");
        Path html = folder.resolve("bench.html");
        Shell shell =
                bench(
                        drives.usual(),
                        "--depths",
                        "1,4",
                        "--sizes",
                        "4KiB,8KiB",
                        "--csv",
                        csv.toString(),
                        "--html",
                        html.toString());
        assertThat(shell.status()).as(shell.err()).isZero();
        assertThat(shell.out()).contains("By size", "By depth", "Every way");
        int cells = 2 * 3 * 2 + 4 * 2 + 4 * 2;
        assertThat(Files.readAllLines(csv)).hasSize(1 + cells);
        String report = Files.readString(html);
        assertThat(report)
                .contains("<svg", "Read", "emu:a", "0x")
                .doesNotContain("<script", "src=");
        assertThat(report).doesNotContain("#010203");
    }

    @Test
    void namesInTheReportAreTextAndNoMarkup() throws IOException {
        Path html = folder.resolve("bench.html");
        String model = ", model: 'R&D <b>\"1\"</b>', cmb: {size: 1MiB}";
        Shell shell =
                bench(
                        drives.two(model, ""),
                        "--depth",
                        "1",
                        "--sweep",
                        "none",
                        "--html",
                        html.toString());
        assertThat(shell.status()).as(shell.err()).isZero();
        assertThat(Files.readString(html))
                .contains("<td>R&amp;D &lt;b&gt;&quot;1&quot;&lt;/b&gt;</td>");
    }

    @Test
    void aDepthThatDoesNotFitIsSkippedAndSaysSo() {
        Shell shell = bench(drives.usual(), "--depths", "512", "--sizes", "4KiB", "--json");
        assertThat(shell.status()).isZero();
        assertThat(shell.json().get("cells").toString())
                .contains("there is room for 256 transfers");
    }

    @Test
    void aDriveWithoutCompareIsNotReadFromButSaysWhy() {
        Shell shell =
                bench(
                        drives.two(", cmb: {size: 1MiB}, compare: false", ""),
                        "--sweep",
                        "none",
                        "--json");
        assertThat(shell.status()).isZero();
        assertThat(shell.json().get("cells").toString())
                .contains("emu:a has no Compare command: name a scratch range for Writes");
    }

    @Test
    void interruptionEndsItWith130AndTellsWhatWasMeasured() {
        Shell shell = Shell.interruptedAt("", "bench", "--fabric", drives.usual());
        assertThat(shell.status()).isEqualTo(130);
        assertThat(shell.err()).contains("Interrupted");
    }

    @Test
    void anInterruptionInTheMiddleTellsWhatWasMeasuredAndThatItIsNotAll() {
        Shell shell =
                Shell.interruptedAt(
                        "Measuring Compare of emu:b/n1",
                        "--verbose",
                        "bench",
                        "--fabric",
                        drives.usual(),
                        "--time",
                        "0.002",
                        "--sweep",
                        "none",
                        "--json");
        assertThat(shell.status()).isEqualTo(130);
        JsonNode document = shell.json();
        assertThat(document.get("result").asText()).isEqualTo("interrupted");
        assertThat(document.get("error").get("code").asText()).isEqualTo("interrupted");
        assertThat(document.get("cells")).hasSizeBetween(1, 2 * 3 * 2 - 1);
        for (JsonNode cell : document.get("cells")) {
            assertThat(cell.get("outcome").asText()).isEqualTo("measured");
        }
        drives.assertTargetUntouched();
    }

    @Test
    void wholeCopiesByACmbAndThroughHostMemoryStandSideBySide() throws IOException {
        Shell shell = copies(drives.usual());
        assertThat(shell.status()).as(shell.err()).isZero();
        List<JsonNode> copies = ofGroup(shell, "copies");
        assertThat(copies).hasSize(2);
        assertThat(copies.getFirst().get("memory").asText()).isEqualTo("emu:b");
        assertThat(copies.getLast().get("memory").asText()).isEqualTo("host");
        for (JsonNode cell : copies) {
            assertThat(cell.get("outcome").asText()).isEqualTo("measured");
            assertThat(cell.get("initiator").asText()).isEqualTo("emu:a");
            assertThat(cell.get("namespace").asText()).isEqualTo("emu:b/n1");
            assertThat(cell.get("bytesPerSecond").asDouble()).isPositive();
            assertThat(cell.get("cpuSecondsPerGib").asDouble()).isPositive();
        }
        assertThat(report())
                .contains("CMB of emu:b", "host memory", " CPU s/GiB")
                .doesNotContain("void");
        byte[] source = drives.bytes("a.img");
        byte[] target = drives.bytes("b.img");
        assertThat(Arrays.copyOfRange(target, 64 * 512, (64 + 512) * 512))
                .isEqualTo(Arrays.copyOf(source, 512 * 512));
    }

    @Test
    void aCopyWhoseDataNeverArrivesIsVoid() throws IOException {
        Shell shell = copies(lying("peerWrites: vanish"));
        assertThat(shell.status()).isEqualTo(4);
        List<JsonNode> copies = ofGroup(shell, "copies");
        assertThat(copies.getFirst().get("outcome").asText()).isEqualTo("void");
        assertThat(copies.getFirst().get("reason").asText()).isNotEmpty();
        assertThat(copies.getFirst().get("bytesPerSecond").isNull()).isTrue();
        assertThat(copies.getLast().get("outcome").asText()).isEqualTo("measured");
        assertThat(report()).containsOnlyOnce("<b class=\"bad\">void</b>");
    }

    @Test
    void aCopyThatNoCmbMayCarryIsSkippedAndSaysSo() {
        Shell shell = copies(drives.two("", ""));
        List<JsonNode> copies = ofGroup(shell, "copies");
        assertThat(copies.getFirst().get("outcome").asText()).isEqualTo("skipped");
        assertThat(copies.getFirst().get("reason").asText()).contains("no CMB carries this copy");
        assertThat(copies.getLast().get("outcome").asText()).isEqualTo("measured");
    }

    private String report() throws IOException {
        String html = Files.readString(folder.resolve("copies.html"));
        return html.substring(html.indexOf("Whole copies, by Read, Write"), html.indexOf("<svg"));
    }

    private Shell copies(String fabric) {
        return bench(
                fabric,
                "--html",
                folder.resolve("copies.html").toString(),
                "--scratch",
                "emu:b@64+512",
                "--yes",
                "--size",
                "4KiB",
                "--depth",
                "4",
                "--sweep",
                "none",
                "--json");
    }

    private static List<JsonNode> ofGroup(Shell shell, String group) {
        return StreamSupport.stream(shell.json().get("cells").spliterator(), false)
                .filter(c -> c.get("group").asText().equals(group))
                .toList();
    }

    @Test
    void invalidOptionsAreRefusedBeforeAnythingIsOpened() {
        refused(1, "the queue depth 0 is out of range", "--depth", "0");
        refused(1, "the queue depth [1, 9999] is out of range", "--depths", "1,9999");
        Shell noTime = Shell.run("bench", "--fabric", drives.usual(), "--time", "0");
        assertThat(noTime.err()).contains("'--time 0.0' is out of range");
        assertThat(noTime.status()).isEqualTo(1);
        refused(1, "the transfer size 100 is not supported", "--size", "100");
        refused(1, "Unknown sweep 'some'", "--sweep", "some");
    }

    @Test
    void aScratchRangeIsGuardedAsATargetIs() {
        refused(1, "--scratch emu:b has no range of blocks", "--scratch", "emu:b");
        refused(
                1,
                "--scratch is on emu:b, which is not among the measured devices",
                "emu:a",
                "--scratch",
                "emu:b@0+8");
        refused(1, "--scratch has 8 blocks from block 4095 on", "--scratch", "emu:b@4095+8", "-y");
        refused(
                3,
                "emu:b has serial 'SB', not 'X'",
                "--scratch",
                "emu:b@0+8",
                "-y",
                "--expect-serial",
                "X");
        refused(3, "there is no terminal to confirm it", "--scratch", "emu:b@0+8");
        drives.assertTargetUntouched();
    }

    @Test
    void theAnswerNoLeavesTheScratchRangeUnchanged() {
        Shell shell =
                Shell.answering(
                        "no", "bench", "--fabric", drives.usual(), "--scratch", "emu:b@0+8");
        assertThat(shell.status()).isEqualTo(3);
        assertThat(shell.err())
                .contains("This overwrites blocks 0 to 7 of emu:b/n1", "Not confirmed");
        drives.assertTargetUntouched();
    }

    @Test
    void aReadOnlyScratchRangeIsRefused() {
        String fabric = drives.two("", ", writeProtected: true, cmb: {size: 1MiB}");
        Shell shell = bench(fabric, "--scratch", "emu:b@0+8", "-y");
        assertThat(shell.status()).isEqualTo(2);
        assertThat(shell.err()).contains("can't be written", "omit --scratch");
    }

    @Test
    void aReportThatCannotBeWrittenIsAnError() {
        Shell shell =
                bench(
                        drives.usual(),
                        "--sweep",
                        "none",
                        "--depth",
                        "1",
                        "--html",
                        folder.resolve("no/where.html").toString());
        assertThat(shell.status()).isEqualTo(2);
        assertThat(shell.err()).contains("the report can't be written to");
    }

    private void refused(int status, String message, String... args) {
        Shell shell = bench(drives.usual(), args);
        assertThat(shell.err()).contains(message);
        assertThat(shell.status()).isEqualTo(status);
    }
}
