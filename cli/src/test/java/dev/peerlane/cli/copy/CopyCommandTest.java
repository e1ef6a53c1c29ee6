package dev.peerlane.cli.copy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Drives;
import dev.peerlane.cli.harness.Shell;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CopyCommandTest {
    @TempDir private Path folder;

    private Drives drives;
    private String fabric;

    @BeforeEach
    void makeDrives() {
        drives = new Drives(folder);
        fabric = drives.usual();
    }

    private Shell copy(String... args) {
        String[] all = new String[args.length + 1];
        all[0] = "copy";
        System.arraycopy(args, 0, all, 1, args.length);
        return Shell.run(Drives.with(fabric, all));
    }

    @Test
    void everyByteArrivesThroughTheTargetsCmb() {
        Shell run = copy("emu:a", "emu:b", "--yes");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out())
                .contains("Copied 2 MiB from emu:a/n1 to emu:b/n1")
                .contains("verified it")
                .contains("target-cmb: the CMB of emu:b")
                .contains("serial SB")
                .contains("direct over a switch")
                .contains("0 bytes crossed host memory");
        drives.assertTargetIsSource();
    }

    @Test
    void onlyTheNamedRangeIsWritten() {
        byte[] before = drives.bytes("b.img");
        Shell run = copy("emu:a/n1@8+16", "emu:b/n1@64", "--yes");
        assertThat(run.status()).as(run.err()).isZero();
        System.arraycopy(drives.bytes("a.img"), 8 * 512, before, 64 * 512, 16 * 512);
        assertThat(Arrays.equals(drives.bytes("b.img"), before)).isTrue();
    }

    @Test
    void theReceiptHasEveryFieldOfTheContract() {
        JsonNode receipt = copy("emu:a@0+64", "emu:b@32", "--yes", "--json").json();
        assertThat(receipt.fieldNames().next()).isEqualTo("schema");
        assertThat(receipt.get("schema").asText()).isEqualTo("peerlane.receipt/1");
        assertThat(receipt.get("result").asText()).isEqualTo("ok");
        JsonNode target = receipt.get("target");
        assertThat(target.get("locator").asText()).isEqualTo("emu:b");
        assertThat(target.get("serial").asText()).isEqualTo("SB");
        assertThat(target.get("model").asText()).isNotEmpty();
        assertThat(target.get("nsid").asInt()).isEqualTo(1);
        assertThat(target.get("slba").asLong()).isEqualTo(32);
        assertThat(target.get("blocks").asLong()).isEqualTo(64);
        assertThat(target.get("blockBytes").asInt()).isEqualTo(512);
        assertThat(receipt.get("source").get("serial").asText()).isEqualTo("SA");
        assertThat(receipt.get("buffer").get("kind").asText()).isEqualTo("target-cmb");
        assertThat(receipt.get("buffer").get("device").asText()).isEqualTo("emu:b");
        assertThat(receipt.get("buffer").get("address").asText()).startsWith("0x");
        assertThat(receipt.get("route")).hasSize(2);
        assertThat(receipt.get("fence").asText()).isEqualTo("sentinel");
        assertThat(receipt.get("bytesCopied").asLong()).isEqualTo(64 * 512);
        assertThat(receipt.get("hostDataBytes").asLong()).isZero();
        assertThat(receipt.get("verify").get("method").asText()).isEqualTo("target-compare");
        assertThat(receipt.get("verify").get("result").asText()).isEqualTo("ok");
        assertThat(receipt.get("seconds").asDouble()).isPositive();
        assertThat(receipt.get("bytesPerSecond").asDouble()).isPositive();
        assertThat(receipt.has("cpuSeconds")).isTrue();
        assertThat(receipt.get("error").isNull()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "target", "source", "host", "emu:a", "emu:b"})
    void everyBufferCarriesTheSameBytes(String buffer) {
        Shell run = copy("emu:a", "emu:b", "--yes", "--json", "--buffer", buffer);
        assertThat(run.status()).as(run.err()).isZero();
        String kind =
                switch (buffer) {
                    case "source", "emu:a" -> "source-cmb";
                    case "host" -> "host";
                    default -> "target-cmb";
                };
        assertThat(run.json().get("buffer").get("kind").asText()).isEqualTo(kind);
        drives.assertTargetIsSource();
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "peer", "host", "none"})
    void everyWayToVerifyIsTaken(String verify) {
        Shell run = copy("emu:a", "emu:b", "--yes", "--json", "--verify", verify);
        assertThat(run.status()).as(run.err()).isZero();
        String method =
                switch (verify) {
                    case "host", "none" -> verify;
                    default -> "target-compare";
                };
        assertThat(run.json().get("verify").get("method").asText()).isEqualTo(method);
        drives.assertTargetIsSource();
    }

    @Test
    void chunkAndSlotsAreTaken() {
        Shell run =
                copy(
                        "emu:a",
                        "emu:b",
                        "--yes",
                        "--json",
                        "--chunk",
                        "16KiB",
                        "--slots",
                        "4",
                        "--timeout",
                        "5",
                        "--retries",
                        "0",
                        "--no-wipe",
                        "--seed",
                        "9");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.json().get("chunkBytes").asInt()).isEqualTo(16 << 10);
        assertThat(run.json().get("slots").asInt()).isEqualTo(4);
        assertThat(run.json().get("tuning").get("readDepth").asInt()).isEqualTo(2);
        drives.assertTargetIsSource();
    }

    /**
     * The drive never completes one Write. The fabric's time is virtual, so the test doesn't wait.
     */
    @Test
    void aCommandIsGivenUpAfterTheSecondsOfTimeout() {
        fabric =
                drives.fabric(
                        """
                        kind: emulator
                        time: virtual
                        drives:
                          - {name: a, image: a.img, serial: SA, cmb: {size: 1MiB}}
                          - {name: b, image: b.img, serial: SB, cmb: {size: 1MiB}}
                        faults:
                          - {kind: lost-completion, drive: b, queue: io, opcode: 1}
                        """);
        Shell run = copy("emu:a", "emu:b", "--yes", "--timeout", "7.5", "--retries", "0");
        assertThat(run.status()).isEqualTo(4);
        assertThat(run.err()).contains("emu:b").contains("did not end within 7.5 s");
    }

    /** The library's remedy names no option; the program's receipt has the program's remedy. */
    @Test
    void theReceiptOfACopyThatFailedHasARemedyToType() {
        fabric =
                drives.fabric(
                        """
                        kind: emulator
                        peerWrites: vanish
                        drives:
                          - {name: a, image: a.img, serial: SA, cmb: {size: 1MiB}}
                          - {name: b, image: b.img, serial: SB, cmb: {size: 1MiB}}
                        """);
        Shell run = copy("emu:a", "emu:b", "--buffer", "target", "--yes", "--json");
        assertThat(run.status()).isEqualTo(4);
        assertThat(run.json().at("/error/code").asText()).isEqualTo("peer-writes-lost");
        assertThat(run.json().at("/error/remedy").asText()).endsWith("copy with --buffer host");
        assertThat(run.err()).contains("copy with --buffer host.");
    }

    /** The library logs the error. The program prints it once, and the log only with --verbose. */
    @Test
    void theLibrarysLogIsSeenWithVerboseAlone() {
        fabric =
                drives.fabric(
                        """
                        kind: emulator
                        time: virtual
                        drives:
                          - {name: a, image: a.img, serial: SA, cmb: {size: 1MiB}}
                          - {name: b, image: b.img, serial: SB, cmb: {size: 1MiB}}
                        faults:
                          - {kind: fatal, drive: b, occasion: 3}
                        """);
        String logged = "dev.peerlane.nvme: emu:b: the controller reports a fatal error";
        Shell quiet = copy("emu:a", "emu:b", "--yes");
        assertThat(quiet.status()).isEqualTo(4);
        assertThat(quiet.err()).contains("fatal error").doesNotContain(logged);
        Shell verbose = copy("emu:a", "emu:b", "--yes", "-v");
        assertThat(verbose.status()).isEqualTo(4);
        assertThat(verbose.err()).containsOnlyOnce(logged);
    }

    @Test
    void withoutAPersonAndWithoutYesNothingIsWritten() {
        Shell run = copy("emu:a", "emu:b", "--json");
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.json().get("result").asText()).isEqualTo("refused");
        assertThat(run.json().get("error").get("code").asText()).isEqualTo("not-confirmed");
        assertThat(run.json().get("target").get("serial").asText()).isEqualTo("SB");
        assertThat(run.json().get("buffer").get("device").asText()).isEqualTo("emu:b");
        assertThat(run.err())
                .contains("This overwrites 2 MiB of emu:b/n1")
                .contains("serial SB")
                .contains("--yes");
        drives.assertTargetUntouched();
    }

    @ParameterizedTest
    @ValueSource(strings = {"no\n", "\n", "", "yess\n"})
    void whoDoesNotAnswerYesKeepsTheTarget(String answer) {
        Shell run = Shell.answering(answer, Drives.with(fabric, "copy", "emu:a", "emu:b"));
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains("Go on?").contains("Not confirmed");
        assertThat(run.out()).isEmpty();
        drives.assertTargetUntouched();
    }

    @ParameterizedTest
    @ValueSource(strings = {"yes\n", " Y \n"})
    void whoAnswersYesIsObeyedAndSeesProgress(String answer) {
        Shell run = Shell.answering(answer, Drives.with(fabric, "copy", "emu:a", "emu:b"));
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err())
                .contains("This overwrites 2 MiB of emu:b/n1 (Peerlane Emulated NVMe, serial SB)")
                .contains("blocks 0 to 4095 of 512 bytes");
        assertThat(run.drawn()).contains("Copying").contains("Verifying").contains("MiB/s");
        drives.assertTargetIsSource();
    }

    @Test
    void ctrlCAtTheQuestionEndsWith130AndWritesNothing() {
        Shell run =
                Shell.interruptedAt(
                        "Go on?", Drives.with(fabric, "copy", "emu:a", "emu:b", "--json"));
        assertThat(run.status()).isEqualTo(130);
        assertThat(run.json().get("error").get("code").asText()).isEqualTo("interrupted");
        drives.assertTargetUntouched();
    }

    @Test
    void ctrlCBeforeTheCopyEndsWith130AndWritesNothing() {
        Shell run = Shell.interruptedAt("", Drives.with(fabric, "copy", "emu:a", "emu:b", "--yes"));
        assertThat(run.status()).isEqualTo(130);
        assertThat(run.err()).contains("Interrupted; nothing was written");
        drives.assertTargetUntouched();
    }

    @Test
    void aDryRunTellsThePlanAndWritesNothing() {
        Shell run = copy("emu:a", "emu:b", "--dry-run");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("Would copy 2 MiB")
                .contains("target-cmb: the CMB of emu:b, 1 MiB free")
                .contains("emu:a writes to emu:b: direct over a switch")
                .contains("sentinel")
                .contains("target-compare over the CMB of emu:b")
                .contains("source-cmb emu:a:")
                .contains("Nothing was written");
        drives.assertTargetUntouched();
    }

    @Test
    void aDryRunInJsonHasThePlan() {
        JsonNode plan = copy("emu:a", "emu:b", "--dry-run", "--json").json();
        assertThat(plan.get("schema").asText()).isEqualTo("peerlane.plan/1");
        assertThat(plan.get("result").asText()).isEqualTo("planned");
        assertThat(plan.get("target").get("serial").asText()).isEqualTo("SB");
        assertThat(plan.get("buffer").get("kind").asText()).isEqualTo("target-cmb");
        assertThat(plan.get("buffer").get("freeBytes").asLong()).isEqualTo(1 << 20);
        assertThat(plan.get("route")).hasSize(2);
        assertThat(plan.get("bytes").asLong()).isEqualTo(Drives.BYTES);
        assertThat(plan.get("verify").get("device").asText()).isEqualTo("emu:b");
        assertThat(plan.get("reasons")).hasSize(3);
        assertThat(plan.get("reasons").get(2).asText()).startsWith("fence sentinel: ");
        assertThat(plan.get("notes")).isEmpty();
        drives.assertTargetUntouched();
    }

    @Test
    void aFallBackToHostMemoryIsReported() {
        fabric = drives.two("", "");
        Shell run = copy("emu:a", "emu:b", "--yes", "--json");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err()).contains("Note: The data goes through host memory");
        assertThat(run.json().get("buffer").get("kind").asText()).isEqualTo("host");
        assertThat(run.json().get("notes").get(0).asText()).contains("host memory");
        assertThat(run.json().get("hostDataBytes").asLong()).isEqualTo(4L * Drives.BYTES);
        drives.assertTargetIsSource();
    }

    @Test
    void aDryRunReportsAFallBackToo() {
        fabric = drives.two("", "");
        Shell run = copy("emu:a", "emu:b", "--dry-run");
        assertThat(run.err()).contains("Note: The data goes through host memory");
        assertThat(run.out()).contains("host memory");
        drives.assertTargetUntouched();
    }

    @Test
    void theRightSerialIsLetThrough() {
        Shell run = copy("emu:a", "emu:b", "--yes", "--expect-serial", "SB");
        assertThat(run.status()).as(run.err()).isZero();
        drives.assertTargetIsSource();
    }

    @Test
    void verboseShowsTheReasonsForTheBuffer() {
        Shell run = copy("emu:a", "emu:b", "--yes", "-v");
        assertThat(run.err()).contains("target-cmb emu:b:").contains("Copying through target-cmb.");
    }

    @Test
    void lostPeerWritesAreAFailureWithAReceipt() {
        fabric =
                drives.fabric(
                        """
                        kind: emulator
                        peerWrites: vanish
                        drives:
                          - {name: a, image: a.img, cmb: {size: 1MiB}}
                          - {name: b, image: b.img, cmb: {size: 1MiB}}
                        """);
        Shell run = copy("emu:a", "emu:b", "--yes", "--json");
        assertThat(run.status()).isEqualTo(4);
        assertThat(run.json().get("result").asText()).isEqualTo("failed");
        assertThat(run.json().get("error").get("code").asText()).isNotEmpty();
        assertThat(run.json().get("verify").get("result").asText()).isEqualTo("not run");
        assertThat(run.err()).contains("peerlane: ");
        Shell text = copy("emu:a", "emu:b", "--yes");
        assertThat(text.status()).isEqualTo(4);
        assertThat(text.out()).startsWith("Stopped after 0 B of 2 MiB").contains("nothing");
    }
}
