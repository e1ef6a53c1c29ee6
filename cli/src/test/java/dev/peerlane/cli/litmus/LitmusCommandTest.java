package dev.peerlane.cli.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Drives;
import dev.peerlane.cli.harness.Shell;
import dev.peerlane.cli.shared.ExitStatus;
import dev.peerlane.measure.LitmusCount;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LitmusCommandTest {
    @TempDir private Path folder;
    private Drives drives;
    private String fabric;
    private byte[] sourceBefore;

    @BeforeEach
    void fabric() {
        drives = new Drives(folder);
        fabric = drives.usual();
        sourceBefore = drives.bytes("a.img");
    }

    private String[] args(String... more) {
        List<String> all = new ArrayList<>(List.of("litmus", "emu:a", "emu:b"));
        all.addAll(List.of(more));
        return Drives.with(fabric, all.toArray(String[]::new));
    }

    private void assertUntouched() {
        drives.assertTargetUntouched();
        assertThat(Arrays.equals(drives.bytes("a.img"), sourceBefore)).isTrue();
    }

    @Test
    void everyFenceIsCountedAndTheBoundIsPrinted() {
        Shell run =
                Shell.run(args("--scratch", "0+256", "--slots", "3000", "--seed", "4", "--yes"));
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("emu:a/n1 Reads into the CMB of emu:b; emu:b/n1 Compares each slot")
                .containsPattern("none +3,0\\d\\d +0 +1 in 1,0\\d\\d +never by default")
                .containsPattern("readback +3,0\\d\\d +0 +1 in 1,0\\d\\d +yes")
                .containsPattern("canary +3,0\\d\\d +0 +1 in 1,0\\d\\d +yes")
                .containsPattern("sentinel +3,0\\d\\d +0 +1 in 1,0\\d\\d +yes")
                .containsPattern("seed +4\n");
    }

    @Test
    void staleHandOffsAreFoundWhereThereAreSome() {
        fabric =
                drives.fabric(
                        """
                        kind: emulator
                        fabric: packets
                        packets: {forwarding: slow, forwardingNanos: 15000}
                        rootComplex: {peerWrites: trusted, peerReads: trusted}
                        drives:
                          - {name: a, image: a.img, latencyMicros: 3, cmb: {size: 64KiB}}
                          - {name: b, image: b.img, latencyMicros: 3, cmb: {size: 64KiB}}
                        ports: [{drive: a}, {drive: b}]
                        """);
        String[] args =
                args("--scratch", "8+128", "--slots", "400", "--seed", "4", "--yes", "--json");
        Shell run = Shell.run(args);
        assertThat(run.status()).as("no copy would run without a fence: " + run.err()).isZero();
        JsonNode document = run.json();
        assertThat(document.get("schema").asText()).isEqualTo("peerlane.litmus/1");
        assertThat(document.get("result").asText()).isEqualTo("ok");
        assertThat(document.get("seed").asLong()).isEqualTo(4);
        assertThat(document.get("buffer").get("kind").asText()).isEqualTo("target-cmb");
        assertThat(document.get("target").get("slba").asLong()).isEqualTo(8);
        JsonNode none = document.get("fences").get(0);
        assertThat(none.get("fence").asText()).isEqualTo("none");
        assertThat(none.get("planned").asBoolean()).isFalse();
        assertThat(none.get("stale").asLong()).isPositive();
        assertThat(none.get("upperBound95").asDouble()).isBetween(0.0, 1.0);
        JsonNode readback = document.get("fences").get(1);
        assertThat(readback.get("stale").asLong()).isPositive();
        assertThat(readback.get("refusal").asText()).contains("direct route across a switch");
        for (int i = 2; i < 4; i++) {
            assertThat(document.get("fences").get(i).get("stale").asLong()).isZero();
            assertThat(document.get("fences").get(i).get("planned").asBoolean()).isTrue();
        }
        assertThat(Shell.run(args).out()).as("the same seed, the same counts").isEqualTo(run.out());
    }

    @Test
    void withoutANamedRangeNothingIsDone() {
        Shell run = Shell.run(args("--yes"));
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains("--scratch is missing").contains("--scratch 0+2048");
        assertUntouched();
    }

    @Test
    void withoutYesAndWithoutAPersonNothingIsDone() {
        Shell run = Shell.run(args("--scratch", "0+256", "--json"));
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.json().get("result").asText()).isEqualTo("refused");
        assertThat(run.json().get("error").get("code").asText()).isEqualTo("not-confirmed");
        assertThat(run.err()).contains("128 KiB of both emu:a/n1").contains("serial SB");
        assertUntouched();
    }

    @Test
    void theAnswerNoChangesNothing() {
        Shell run = Shell.answering("no\n", args("--scratch", "0+256"));
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains("Type yes");
        assertUntouched();
    }

    @Test
    void bothSerialsAreChecked() {
        Shell run = Shell.run(args("--scratch", "0+256", "--yes", "--expect-serial", "SA,other"));
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains("emu:b has serial 'SB', which is not one of [SA, other]");
        assertUntouched();
        Shell right =
                Shell.run(
                        args(
                                "--scratch=0+256",
                                "--slots=100",
                                "--fence=none",
                                "--yes",
                                "--expect-serial=SA,SB"));
        assertThat(right.status()).as(right.err()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "--scratch=5, 1, bad-scratch",
        "--scratch=0+999999, 1, range-past-end",
        "--scratch=0+8, 1, scratch-too-small",
        "--scratch=0+0, 1, empty-range",
        "--fence=auto, 1, bad-fence",
        "--fence=wall, 1, bad-fence",
        "--slots=0, 1, bad-slots",
        "--seconds=0, 1, bad-seconds",
        "--buffer=host, 2, no-cmb",
        "--buffer=moon, 1, bad-buffer",
        "--seconds=1e-9, 4, nothing-measured"
    })
    void whatMakesNoSenseIsRefused(String option, int status, String code) {
        String[] args =
                option.startsWith("--scratch")
                        ? args(option, "--yes", "--json")
                        : args(option, "--scratch=0+256", "--yes", "--json");
        Shell run = Shell.run(args);
        assertThat(run.json().get("error").get("code").asText()).isEqualTo(code);
        assertThat(run.status()).isEqualTo(status);
    }

    @Test
    void anInterruptedRunIsStatus130() {
        Shell run = Shell.interruptedAt("", args("--scratch", "0+256", "--yes"));
        assertThat(run.status()).isEqualTo(130);
        assertUntouched();
    }

    @Test
    void oldBytesBehindAFenceThatACopyWouldTrustAreAFailure() {
        LitmusCount count = new LitmusCount("sentinel", 1000, 0, 1, 0.0047, 1, null);
        var trusted = LitmusRun.verdict(List.of(new LitmusDocument.Counted(count, null)));
        assertThat(trusted.code()).isEqualTo("stale-handoff");
        assertThat(trusted)
                .hasMessageContaining("1 of 1000 slots")
                .hasMessageContaining("sentinel");
        assertThat(ExitStatus.of(trusted)).isEqualTo(4);
        assertThat(LitmusRun.verdict(List.of(new LitmusDocument.Counted(count, "refused"))))
                .isNull();
    }
}
