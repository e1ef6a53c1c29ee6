package dev.peerlane.cli.copy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Drives;
import dev.peerlane.cli.harness.Shell;
import dev.peerlane.copy.Receipt;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Checks that every error that a user can cause states the problem and a remedy, and writes
 * nothing.
 */
class CopyRefusalTest {
    private static final String CMB = ", cmb: {size: 1MiB}";

    @TempDir private Path folder;

    private Drives drives;

    @BeforeEach
    void makeDrives() {
        drives = new Drives(folder);
    }

    /** Runs the command in text and in JSON, and checks all that must hold for a refusal. */
    private String refused(String fabric, int status, String code, String... args) {
        String[] all = fabric.isEmpty() ? args : Drives.with(fabric, args);
        Shell text = Shell.run(all);
        assertThat(text.status()).as(text.err()).isEqualTo(status);
        assertThat(text.out()).isEmpty();
        assertThat(text.err()).startsWith("peerlane: ").endsWith("." + System.lineSeparator());
        Shell json =
                Shell.run(
                        Stream.concat(Arrays.stream(all), Stream.of("--json"))
                                .toArray(String[]::new));
        assertThat(json.status()).isEqualTo(status);
        assertThat(json.err()).isEqualTo(text.err());
        JsonNode receipt = json.json();
        assertThat(receipt.fieldNames().next()).isEqualTo("schema");
        assertThat(receipt.get("schema").asText()).isEqualTo(Receipt.SCHEMA);
        for (RecordComponent field : Receipt.class.getRecordComponents()) {
            assertThat(receipt.has(field.getName())).as(field.getName()).isTrue();
        }
        assertThat(receipt.get("result").asText()).isEqualTo("refused");
        assertThat(receipt.get("bytesCopied").asLong()).isZero();
        assertThat(receipt.get("verify").get("result").asText()).isEqualTo("not run");
        JsonNode error = receipt.get("error");
        assertThat(error.get("code").asText()).isEqualTo(code);
        assertThat(text.err())
                .contains(error.get("message").asText())
                .contains(error.get("remedy").asText());
        drives.assertTargetUntouched();
        return text.err();
    }

    private String refused(int status, String code, String... args) {
        return refused(drives.usual(), status, code, args);
    }

    @ParameterizedTest
    @CsvSource({
        "ssd0, emu:b, bad-locator, is not a device name",
        "emu:, emu:b, bad-locator, emu:ssd0",
        "emu:a/n0, emu:b, bad-range, '0'",
        "emu:a/nx, emu:b, bad-range, 'x'",
        "emu:a@x, emu:b, bad-range, first block",
        "emu:a@0+0, emu:b, bad-range, block count",
        "emu:a/n2, emu:b, no-such-namespace, emu:a has no active namespace 2",
        "emu:a, emu:b/n7, no-such-namespace, emu:b has no active namespace 7",
        "emu:a@4096, emu:b, range-past-end, which has 4096",
        "emu:a@4090+16, emu:b, range-past-end, 16 blocks from block 4090 on",
        "emu:a, emu:b@1, range-past-end, emu:b/n1",
        "emu:a@0+8, emu:b@0+36028797018963968, range-past-end, 36028797018963968 blocks",
        "emu:a@0+8, emu:b@0+36028797018963976, range-past-end, 36028797018963976 blocks",
        "emu:a@0+8, emu:b@0+9223372036854775807, range-past-end, 9223372036854775807 blocks",
        "emu:a@0+8, emu:b@8+9223372036854775807, range-past-end, from block 8 on",
        "emu:a@0+9223372036854775807, emu:b, range-past-end, 9223372036854775807 blocks",
        "emu:a@9223372036854775807+9223372036854775807, emu:b, range-past-end, from block 9223",
        "emu:a@0+8, emu:b@0+16, sizes-differ, '4096 bytes long, emu:b@0+16 is 8192'",
        "emu:b@0+8, emu:b@7, ranges-overlap, overlap",
        "emu:b, emu:b, ranges-overlap, overlap",
    })
    void aWrongRequestIsStatus1(String source, String target, String code, String words) {
        assertThat(refused(1, code, "copy", source, target, "--yes")).contains(words);
    }

    @ParameterizedTest
    @CsvSource({
        "--buffer, cmb, bad-buffer, 'auto, target, source, host'",
        "--buffer, emu:a@0, device-alone, emu:a",
        "--fence, hedge, bad-fence, 'auto, sentinel, canary, readback or none'",
        "--verify, maybe, bad-verify, 'auto, peer, host or none'",
        "--chunk, 4XB, bad-size, 64MiB",
        "--chunk, 99999999999999999999, bad-size, is too large",
        "--chunk, 9GiB, bad-size, is too large",
        "--chunk, 7EiB, bad-size, is too large",
        "--chunk, 16EiB, bad-size, is too large",
        "--chunk, 1000, bad-chunk, multiple of 512",
        "--slots, 5000, bad-slots, 1 to 4096",
        "--slots, 99999999999, usage, '--slots'",
        "--timeout, 0, bad-timeout, more than 0",
        "--timeout, NaN, bad-timeout, more than 0",
        "--retries, -1, bad-retries, 0 or more",
        "--slots, many, usage, '--slots'",
    })
    void aWrongOptionIsStatus1(String option, String value, String code, String words) {
        assertThat(refused(1, code, "copy", "emu:a", "emu:b", "--yes", option, value))
                .contains(words);
    }

    @Test
    void anUnknownOptionIsStatus1WithAHint() {
        assertThat(refused(1, "usage", "copy", "emu:a", "emu:b", "--bufer=host"))
                .contains("Unknown option: '--bufer=host'")
                .contains("Did you mean --buffer?")
                .contains("peerlane help copy");
    }

    @Test
    void aMissingTargetIsStatus1() {
        assertThat(refused(1, "usage", "copy", "emu:a")).contains("TARGET");
    }

    @ParameterizedTest
    @CsvSource({
        "emu:z, emu:b, no-such-device, 'emu:a, emu:b'",
        "emu:a, emu:z, no-such-device, 'emu:a, emu:b'",
    })
    void anUnknownDeviceIsStatus2(String source, String target, String code, String words) {
        assertThat(refused(2, code, "copy", source, target, "--yes")).contains(words);
    }

    @ParameterizedTest
    @CsvSource({
        "/dev/nvme0n1, block devices and files of the kernel are not supported yet",
        "./disk.img, block devices and files of the kernel are not supported yet",
    })
    void devicesThatComeLaterAreStatus2WithTheReason(String device, String words) {
        assertThat(refused("", 2, "unsupported-locator", "copy", device, device, "--yes"))
                .contains(words);
    }

    @Test
    void aPciAddressThatIsNotOnThisMachineIsStatus2() {
        String address = "ffffff00:ff:1f.7";
        assertThat(refused("", 2, "no-such-device", "copy", address, address, "--yes"))
                .contains(address);
    }

    @Test
    void anUnknownDeviceForTheBufferIsStatus2() {
        assertThat(
                        refused(
                                2,
                                "no-such-device",
                                "copy",
                                "emu:a",
                                "emu:b",
                                "--buffer",
                                "emu:z",
                                "--yes"))
                .contains("emu:z");
    }

    @Test
    void qemuDevicesWithoutAFabricFileAreStatus1() {
        assertThat(
                        refused(
                                "",
                                1,
                                "no-fabric-file",
                                "copy",
                                "qemu:02:00.0",
                                "qemu:03:00.0",
                                "--yes"))
                .contains("--fabric")
                .contains("kind: qemu");
    }

    @Test
    void devicesOfTwoFabricsAreStatus1() {
        assertThat(refused("", 1, "other-fabric", "copy", "emu:ssd0", "qemu:03:00.0", "--yes"))
                .contains("different fabrics");
    }

    @Test
    void aFabricFileThatIsNotThereIsStatus1() {
        assertThat(
                        refused(
                                folder.resolve("none.yaml").toString(),
                                1,
                                "no-fabric-file",
                                "copy",
                                "emu:a",
                                "emu:b"))
                .contains("none.yaml does not exist");
    }

    @Test
    void aFabricFileWithAWrongKeyIsStatus1AndNamesIt() {
        String fabric = drives.two(", colour: red", CMB);
        assertThat(refused(fabric, 1, "bad-fabric-file", "copy", "emu:a", "emu:b", "--yes"))
                .contains("colour");
    }

    @Test
    void aQemuThatIsNotThereIsStatus2() {
        String fabric = drives.fabric("kind: qemu\nsocket: none.sock\nram: none.ram\n");
        Shell run = Shell.run(Drives.with(fabric, "copy", "qemu:02:00.0", "qemu:03:00.0", "--yes"));
        assertThat(run.status()).as(run.err()).isEqualTo(2);
        assertThat(run.err()).contains("none.sock");
    }

    @ParameterizedTest
    @CsvSource({
        "target, '', no-cmb, emu:b",
        "emu:b, '', no-cmb, emu:b",
        "target, ', cmb: {size: 1MiB, wds: false}', cmb-unfit, CMBSZ.WDS = 0",
    })
    void aTargetsCmbThatCantCarryIsStatus2(
            String buffer, String cmbOfB, String code, String words) {
        String fabric = drives.two(CMB, cmbOfB);
        assertThat(refused(fabric, 2, code, "copy", "emu:a", "emu:b", "--yes", "--buffer", buffer))
                .contains(words);
    }

    @Test
    void aSourcesCmbThatMayNotHoldReadsIsStatus2() {
        String fabric = drives.two(", cmb: {size: 1MiB, rds: false}", CMB);
        assertThat(
                        refused(
                                fabric,
                                2,
                                "cmb-unfit",
                                "copy",
                                "emu:a",
                                "emu:b",
                                "--yes",
                                "--buffer",
                                "source"))
                .contains("CMBSZ.RDS = 0");
    }

    @Test
    void verificationByPeersThatCantCompareIsStatus2() {
        String fabric = drives.two(CMB + ", compare: false", CMB + ", compare: false");
        assertThat(
                        refused(
                                fabric,
                                2,
                                "no-peer-verify",
                                "copy",
                                "emu:a",
                                "emu:b",
                                "--yes",
                                "--verify",
                                "peer"))
                .contains("has no Compare command")
                .contains("--verify host");
    }

    @ParameterizedTest
    @CsvSource({
        "', metadataBytes: 8', 8 bytes of metadata",
        "', metadataBytes: 8, protectionType: 1', 8 bytes of metadata",
        "', commandSet: zoned', Zoned Namespace command set",
        "', commandSet: kv', Key Value command set",
    })
    void aNamespaceThatPeerlaneCantCopyIsStatus2(String keys, String words) {
        String atTarget = drives.two(CMB, CMB + keys);
        assertThat(refused(atTarget, 2, "namespace-unsupported", "copy", "emu:a", "emu:b", "--yes"))
                .contains("emu:b/n1")
                .contains(words);
        String atSource = drives.two(CMB + keys, CMB);
        assertThat(refused(atSource, 2, "namespace-unsupported", "copy", "emu:a", "emu:b", "--yes"))
                .contains("emu:a/n1")
                .contains(words);
    }

    @Test
    void aWriteProtectedTargetIsStatus2() {
        String fabric = drives.two(CMB, CMB + ", writeProtected: true");
        assertThat(refused(fabric, 2, "write-protected", "copy", "emu:a", "emu:b", "--yes"))
                .contains("emu:b/n1 cannot be written");
    }

    @Test
    void aLengthThatIsNoWholeNumberOfTheTargetsBlocksIsStatus1() {
        String fabric = drives.two(CMB, CMB + ", blockBytes: 4096");
        assertThat(refused(fabric, 1, "not-whole-blocks", "copy", "emu:a@0+9", "emu:b", "--yes"))
                .contains("4096-byte blocks");
    }

    @Test
    void twoNamespacesWithoutOneNamedIsStatus1() {
        String fabric =
                drives.fabric(
                        """
                        kind: emulator
                        drives:
                          - {name: a, image: a.img}
                          - name: b
                            namespaces: [{image: b.img}, {size: 1MiB}]
                        """);
        assertThat(refused(fabric, 1, "which-namespace", "copy", "emu:a", "emu:b", "--yes"))
                .contains("n1, n2")
                .contains("emu:b/n1");
    }

    @Test
    void anotherSerialThanTheExpectedIsStatus3() {
        assertThat(
                        refused(
                                3,
                                "serial-differs",
                                "copy",
                                "emu:a",
                                "emu:b",
                                "--yes",
                                "--expect-serial",
                                "SX"))
                .contains("emu:b has serial 'SB', not 'SX'");
    }

    @Test
    void noConfirmationIsStatus3() {
        assertThat(refused(3, "not-confirmed", "copy", "emu:a", "emu:b")).contains("--yes");
    }

    @Test
    void noPermittedRouteIsStatus3() {
        String fabric =
                drives.fabric(
                        """
                        kind: emulator
                        drives:
                          - {name: a, image: a.img, cmb: {size: 1MiB}}
                          - {name: b, image: b.img, cmb: {size: 1MiB}}
                        ports: [{drive: a}, {drive: b}]
                        """);
        assertThat(
                        refused(
                                fabric,
                                3,
                                "no-permitted-route",
                                "copy",
                                "emu:a",
                                "emu:b",
                                "--yes",
                                "--buffer",
                                "target"))
                .contains("root complex")
                .contains("one switch");
    }
}
