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
import org.junit.jupiter.params.provider.CsvSource;

class CmbCopyCommandTest {
    @TempDir private Path folder;

    private Drives drives;
    private String fabric;

    @BeforeEach
    void makeDrives() {
        drives = new Drives(folder);
        fabric =
                drives.fabric(
                        """
                        kind: emulator
                        drives:
                          - {name: a, image: a.img, cmb: {size: 1MiB}}
                          - {name: b-1, image: b.img, cmb: {size: 1MiB}}
                          - {name: c, size: 1MiB, cmb: {size: 1MiB}}
                          - {name: bare, size: 1MiB}
                        """);
    }

    private Shell run(String read, String write, String carrier, String... more) {
        String[] args = {"cmb-copy", "-r", read, "-w", write, "-c", carrier, "--json"};
        String[] all = Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        return Shell.run(Drives.with(fabric, all));
    }

    @ParameterizedTest
    @CsvSource({
        "emu:b-1, target-cmb",
        "emu:a, source-cmb",
        "emu:c, third-party-cmb",
    })
    void theNamedDeviceCarriesTheData(String carrier, String kind) {
        Shell run = run("emu:a-1-8-16", "emu:b-1-1-64-16", carrier, "--yes");
        assertThat(run.status()).as(run.err()).isZero();
        JsonNode receipt = run.json();
        assertThat(receipt.get("buffer").get("kind").asText()).isEqualTo(kind);
        assertThat(receipt.get("buffer").get("device").asText()).isEqualTo(carrier);
        assertThat(receipt.get("source").get("slba").asLong()).isEqualTo(8);
        assertThat(receipt.get("target").get("slba").asLong()).isEqualTo(64);
        assertThat(receipt.get("bytesCopied").asLong()).isEqualTo(16 * 512);
        assertThat(receipt.get("hostDataBytes").asLong()).isZero();
        assertThat(receipt.get("verify").get("result").asText()).isEqualTo("ok");
        byte[] now = drives.bytes("b.img");
        byte[] data = drives.bytes("a.img");
        assertThat(Arrays.equals(now, 64 * 512, 80 * 512, data, 8 * 512, 24 * 512)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "emu:a-1-0-16, emu:b-1-1-0-16, emu:bare, 2, no-cmb",
        "emu:a-1-0-16, emu:b-1-1-0-16, emu:none, 2, no-such-device",
        "emu:a-1-0-16, emu:b-1-1-0-8, emu:c, 1, sizes-differ",
        "emu:a-1-0-0, emu:b-1-1-0-0, emu:c, 1, bad-range",
        "emu:a-0-0-16, emu:b-1-1-0-16, emu:c, 1, bad-range",
        "emu:a@0+16, emu:b-1-1-0-16, emu:c, 1, bad-range",
        "emu:a-1-0-16, emu:b-1-1-4090-16, emu:c, 1, range-past-end",
        "emu:a-1-0-16, emu:b-1-9-0-16, emu:c, 1, no-such-namespace",
    })
    void whatCantBeDoneIsRefusedAndWritesNothing(
            String read, String write, String carrier, int status, String code) {
        Shell run = run(read, write, carrier, "--yes");
        assertThat(run.status()).as(run.err()).isEqualTo(status);
        assertThat(run.json().get("result").asText()).isEqualTo("refused");
        assertThat(run.json().get("error").get("code").asText()).isEqualTo(code);
        drives.assertTargetUntouched();
    }

    @Test
    void withoutYesNothingIsWritten() {
        Shell run = run("emu:a-1-0-16", "emu:b-1-1-0-16", "emu:c");
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains("emu:b-1/n1").contains("--yes");
        drives.assertTargetUntouched();
    }

    @Test
    void aMissingArgumentIsNamed() {
        Shell run = Shell.run("cmb-copy", "-r", "emu:a-1-0-16", "-c", "emu:a");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("-w=ID-NS-SLBA-NLB").contains("peerlane help cmb-copy");
    }
}
