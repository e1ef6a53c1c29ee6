package dev.peerlane.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares with wipefs of util-linux, over images that mkfs programs made. */
class SignaturesTest {
    private static final int MIB = 1 << 20;

    static Stream<String> images() throws IOException {
        try (InputStream in = SparseImage.resource("wipefs.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.startsWith("#"));
        }
    }

    private static List<String> names(DeviceBytes device) {
        return Signatures.find(device).stream().map(Signature::name).sorted().toList();
    }

    private static List<String> wipefs(Path file) throws Exception {
        Process process =
                new ProcessBuilder("wipefs", "-n", "-O", "TYPE", file.toString())
                        .redirectErrorStream(true)
                        .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(text).isZero();
        return text.lines().skip(1).map(String::strip).distinct().sorted().toList();
    }

    @ParameterizedTest
    @MethodSource("images")
    void signaturesOfFormattedImagesAreThoseThatWipefsFinds(String line) throws Exception {
        List<String> words = Arrays.asList(line.split(" "));
        SparseImage image = SparseImage.kept(words.getFirst());
        List<String> types = words.subList(1, words.size());
        assertThat(names(image)).isEqualTo(types);
    }

    /** Images of formats for which no distribution has a program are built by hand. */
    @Test
    void wipefsOfThisMachineAgreesOnHandmadeImages(@TempDir Path folder) throws Exception {
        for (Map.Entry<String, SparseImage> made : madeByHand().entrySet()) {
            List<String> expected = wipefs(made.getValue().write(folder));
            assertThat(expected).as(made.getKey()).isNotEmpty();
            assertThat(names(made.getValue())).as(made.getKey()).isEqualTo(expected);
        }
    }

    private static Map<String, SparseImage> madeByHand() {
        Map<String, SparseImage> made = new TreeMap<>();
        for (long[] md : new long[][] {{0, 1}, {4096, 2}, {16 * MIB - 8192, 0}}) {
            byte[] block = new byte[1024];
            little(block, 0, 0xa92b4efc);
            little(block, 4, 1);
            little(block, 0x90, (int) (md[0] / 512));
            block[16] = 1;
            made.put("md 1." + md[1], new SparseImage(16 * MIB).put(md[0], block));
        }
        byte[] old = new byte[4096];
        little(old, 0, 0xa92b4efc);
        little(old, 8, 90);
        old[20] = 1;
        made.put("md 0.90", new SparseImage(16 * MIB + 4096).put(16 * MIB - 65536, old));
        for (long label :
                new long[] {0, 256 << 10, 64 * MIB - (512 << 10), 64 * MIB - (256 << 10)}) {
            SparseImage pool = new SparseImage(64 * MIB);
            for (int i = 0; i < 8; i++) {
                byte[] uberblock = new byte[40];
                little(uberblock, 0, 0x00bab10c);
                little(uberblock, 8, 5000);
                little(uberblock, 16, 4 + i);
                pool.put(label + (128 << 10) + i * 1024L, uberblock);
            }
            made.put("zfs label at " + label, pool);
        }
        made.put(
                "ceph",
                new SparseImage(16 * MIB)
                        .put(0, "bluestore block device\n".getBytes(StandardCharsets.US_ASCII)));
        made.put("vdo", new SparseImage(16 * MIB).put(0, "646d76646f303031"));
        made.put("vmfs", new SparseImage(16 * MIB).put(MIB, "0dd001c0"));
        made.put("snapshot", new SparseImage(16 * MIB).put(0, "536e4170"));
        made.put("ocfs2", new SparseImage(16 * MIB).put(0x1000, "4f4346535632"));
        made.put("hibernation", new SparseImage(16 * MIB).put(4086, "533153555350454e4400"));
        made.put(
                "intel raid",
                new SparseImage(16 * MIB)
                        .put(
                                16 * MIB - 1024,
                                "Intel Raid ISM Cfg Sig. 1.3.00\0\0"
                                        .getBytes(StandardCharsets.US_ASCII)));
        return made;
    }

    private static void little(byte[] block, int at, int value) {
        for (int i = 0; i < 4; i++) {
            block[at + i] = (byte) (value >>> (8 * i));
        }
    }

    @Test
    void tablesOfDrivesWithLongBlocksAreFound() {
        // a file has no block size, so wipefs does not look here in a file; sgdisk writes such
        // disks
        String magic = "4546492050415254";
        assertThat(names(new SparseImage(16 * MIB).put(4096, magic))).containsExactly("gpt");
        assertThat(names(new SparseImage(16 * MIB).put(16 * MIB - 4096, magic)))
                .containsExactly("gpt");
        assertThat(names(new SparseImage(16 * MIB).put(16 * MIB - 512, magic)))
                .containsExactly("gpt");
    }

    @Test
    void nothingIsFoundInZeroesOrInRandomBytes(@TempDir Path folder) throws Exception {
        assertThat(names(new SparseImage(16 * MIB))).isEmpty();
        byte[] bytes = new byte[MIB];
        for (int seed = 0; seed < 200; seed++) {
            new SplittableRandom(seed).nextBytes(bytes);
            // two bytes that occur by chance once in 65,536
            bytes[0x1fe] = 0x55;
            bytes[0x1ff] = (byte) 0xaa;
            bytes[0x438] = 0x53;
            bytes[0x439] = (byte) 0xef;
            bytes[0x406] = 0x34;
            bytes[0x407] = 0x34;
            bytes[0x1fc] = (byte) 0xda;
            bytes[0x1fd] = (byte) 0xbe;
            SparseImage device = new SparseImage(MIB).put(0, bytes);
            assertThat(names(device)).as("seed %d", seed).isEmpty();
        }
        new SplittableRandom(1).nextBytes(bytes);
        assertThat(wipefs(new SparseImage(MIB).put(0, bytes).write(folder))).isEmpty();
    }

    @Test
    void aShortDeviceIsReadUpToItsEnd() {
        for (long size : new long[] {512, 513, 4096, 65536, 65537, 1 << 17}) {
            assertThat(names(new SparseImage(size))).isEmpty();
            assertThat(names(new SparseImage(size).put(0, "58465342"))).containsExactly("xfs");
        }
    }

    @Test
    void anUnreadablePartIsNotTakenForEmpty() {
        for (long bad : new long[] {0, 0x10040, 16 * MIB - 1}) {
            SparseImage device = new SparseImage(16 * MIB).bad(bad);
            assertThatThrownBy(() -> Signatures.find(device))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessage("block is bad");
        }
    }

    @Test
    void aSignatureNamesItsKindFormatAndOffset() throws IOException {
        assertThat(Signatures.find(SparseImage.kept("ext4")).toString())
                .isEqualTo("[a file system (ext4, at byte 1080)]");
        assertThat(Signatures.find(SparseImage.kept("gpt")).stream().map(Signature::toString))
                .containsExactly(
                        "a partition table (gpt, at byte 512)",
                        "a partition table (PMBR, at byte 510)");
        assertThat(
                        new TreeSet<>(
                                images().map(l -> l.substring(0, l.indexOf(" ")))
                                        .collect(Collectors.toSet())))
                .hasSize(29);
    }
}
