package dev.peerlane.diagnose;

import static dev.peerlane.diagnose.Shapes.A;
import static dev.peerlane.diagnose.Shapes.B;
import static dev.peerlane.diagnose.Shapes.bdf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.Share;
import dev.peerlane.pci.sysfs.ConfigBytes;
import dev.peerlane.pci.sysfs.ConfigReading;
import dev.peerlane.pci.sysfs.SysfsTree;
import dev.peerlane.pci.sysfs.SystemFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CaptureTest {
    @TempDir Path directory;

    @Test
    void captureAndDirectoryGiveTheSameDiagnosisAsTheMachine() throws IOException {
        for (TreeBuilder tree : List.of(Shapes.broadcom(0x1d), Shapes.vmd(), Shapes.cascade())) {
            Path root = Files.createTempDirectory(directory, "root");
            tree.writeTo(root);
            SystemFiles live = SystemFiles.of(root);
            Path file = directory.resolve(root.getFileName() + ".zip");
            Capture.write(Capture.take(live, false), file);
            Snapshot direct = tree.snapshot();
            Snapshot ofDirectory = Snapshot.of(Capture.open(root));
            Snapshot ofFile = Snapshot.of(Capture.open(file));
            assertThat(direct.machine().functions()).isNotEmpty();
            assertThat(ofDirectory.machine().functions()).isEqualTo(direct.machine().functions());
            assertThat(ofFile.machine().functions()).isEqualTo(direct.machine().functions());
            assertThat(ofFile.host()).isEqualTo(ofDirectory.host());
            assertThat(Doctor.examine(ofFile).findings())
                    .isEqualTo(Doctor.examine(ofDirectory).findings());
        }
    }

    @Test
    void aCopyWithoutLinksFindsParentsByBusNumbers() {
        TreeBuilder tree = Shapes.broadcom(0);
        CapturedFiles linked = tree.files();
        tree.at(Shapes.ROOT).config.store32(0x18, 0x00_04_01_00);
        tree.at(Shapes.UP).config.store32(0x18, 0x00_04_02_01);
        tree.at(Shapes.DOWN_0).config.store32(0x18, 0x00_03_03_02);
        tree.at(Shapes.DOWN_1).config.store32(0x18, 0x00_04_04_02);
        CapturedFiles files = new CapturedFiles("a test");
        tree.files().files().forEach(files::put);
        assertThat(SysfsTree.read(files, f -> true).machine().bridgesAbove(bdf(A)))
                .extracting(f -> f.bdf())
                .isEqualTo(
                        SysfsTree.read(linked, f -> true).machine().bridgesAbove(bdf(A)).stream()
                                .map(f -> f.bdf())
                                .toList());
    }

    @Test
    void serialNumbersAreNotReadUnlessAskedFor() {
        CapturedFiles files = Shapes.broadcom(0).files();
        files.put(SysfsTree.directory(bdf(A)) + "/nvme/nvme0/serial", "S1".getBytes(UTF));
        String directory = SysfsTree.directory(bdf(A));
        int serial = TreeBuilder.SERIAL + 4;
        CapturedFiles without = Capture.take(files, false);
        assertThat(ConfigReading.of(without, directory, true).config().load32(serial))
                .as("not read, and not zero")
                .isEqualTo(-1);
        assertThat(without.files().keySet()).noneMatch(p -> p.endsWith("serial"));
        CapturedFiles with = Capture.take(files, true);
        assertThat(ConfigReading.of(with, directory, true).config().load32(serial))
                .isEqualTo(0x1234_5678);
        assertThat(with.files().keySet()).anyMatch(p -> p.endsWith("serial"));
    }

    @Test
    void aCaptureWakesNothingAndSaysSo() {
        TreeBuilder tree = Shapes.broadcom(0);
        tree.at(A).suspend("D3cold").texts.put("max_link_speed", "16.0 GT/s PCIe");
        CapturedFiles taken = Capture.take(tree.files(), false);
        String directory = SysfsTree.directory(bdf(A));
        assertThat(taken.files().keySet())
                .doesNotContain(directory + "/config", directory + "/max_link_speed");
        Snapshot read = Snapshot.of(taken);
        assertThat(read.machine().function(bdf(A)).orElseThrow().details().asleep())
                .isEqualTo("suspended, D3cold");
        Diagnosis diagnosis = Doctor.examine(read, bdf(A), bdf(B), Buffer.TARGET);
        assertThat(diagnosis.isGo()).isFalse();
        assertThat(diagnosis.findings())
                .filteredOn(f -> f.check() == Check.SUSPENDED)
                .singleElement()
                .satisfies(
                        f -> assertThat(f.detail()).contains("suspended: not read", A, "D3cold"));
    }

    /**
     * Data that identifies a machine's owner is planted where Linux shows it, and must not be kept.
     */
    @Test
    void nothingThatNamesAMachineOrADriveIsKept() throws IOException {
        TreeBuilder tree = Shapes.broadcom(0);
        tree.texts.put("proc/version", "Linux version 6.1 (SECRET@SECRET) (gcc)");
        tree.texts.put(
                "proc/cmdline",
                "root=UUID=SECRET ip=SECRET nvme_core.hostid=SECRET nvmf.hostnqn=nqn.SECRET"
                        + " rd.luks.key=SECRET intel_iommu=on nvme.use_cmb_sqes=0");
        tree.texts.put("proc/cpuinfo", "vendor_id : GenuineIntel\nSerial : SECRET\n");
        for (String name :
                List.of(
                        "sys/class/dmi/id/product_serial",
                        "sys/class/dmi/id/product_uuid",
                        "sys/class/dmi/id/board_serial",
                        "sys/class/dmi/id/chassis_asset_tag",
                        "proc/sys/kernel/hostname",
                        "etc/hostname",
                        "etc/machine-id",
                        "etc/nvme/hostnqn",
                        "sys/class/net/eth0/address")) {
            tree.texts.put(name, "SECRET");
        }
        for (String name :
                List.of(
                        "vpd",
                        "nvme/nvme0/serial",
                        "nvme/nvme0/subsysnqn",
                        "nvme/nvme0/hostnqn",
                        "nvme/nvme0/hostid",
                        "nvme/nvme0/nvme0n1/wwid",
                        "nvme/nvme0/nvme0n1/uuid",
                        "nvme/nvme0/nvme0n1/nguid",
                        "nvme/nvme0/nvme0n1/eui")) {
            tree.at(A).texts.put(name, "SECRET");
        }
        ConfigBytes config = tree.at(A).config;
        int vpd = 0x80;
        config.store16(TreeBuilder.EXPRESS, 0x10 | (vpd << 8));
        config.store32(vpd, 0x8000_0003);
        config.store32(vpd + 4, 0x5243_4553); // the letters SECR
        config.store32(TreeBuilder.SERIAL + 4, 0x5243_4553);
        String all = zipped(Capture.take(tree.files(), false));
        assertThat(all).contains("GenuineIntel", "intel_iommu=on", "nvme.use_cmb_sqes=0");
        assertThat(all).doesNotContain("SECR");
        CapturedFiles asked = Capture.take(tree.files(), true);
        assertThat(asked.files().keySet())
                .filteredOn(p -> new String(asked.bytes(p, 4096), UTF).contains("SECR"))
                .allMatch(p -> p.endsWith("/config") || p.endsWith("/serial"))
                .hasSize(2);
    }

    /** Returns the unpacked content of a capture's file. */
    private String zipped(CapturedFiles files) throws IOException {
        Path file = directory.resolve("capture.zip");
        Capture.write(files, file);
        StringBuilder all = new StringBuilder();
        try (ZipFile zip = new ZipFile(file.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                all.append(entry.getName()).append('\n');
                byte[] content = zip.getInputStream(entry).readAllBytes();
                all.append(new String(content, StandardCharsets.ISO_8859_1)).append('\n');
            }
        }
        return all.toString();
    }

    @Test
    void onlyTheLinesThatMatterAreKept() {
        TreeBuilder tree = Shapes.broadcom(0);
        tree.texts.put("proc/cmdline", "root=UUID=secret iommu=pt token=x pci=noaer");
        CapturedFiles files = Capture.take(tree.files(), false);
        assertThat(files.text("proc/cmdline")).isEqualTo("iommu=pt pci=noaer");
    }

    private static final java.nio.charset.Charset UTF = StandardCharsets.UTF_8;

    private Path zip(String[]... entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry("peerlane-capture"));
            zip.write("1\n".getBytes(UTF));
            for (String[] entry : entries) {
                zip.putNextEntry(new ZipEntry(entry[0]));
                zip.write(entry[1].getBytes(UTF));
            }
        }
        Path file = Files.createTempFile(directory, "hostile", ".zip");
        return Files.write(file, bytes.toByteArray());
    }

    @Test
    void pathsThatLeaveTheCaptureAreDropped() throws IOException {
        Path file = zip(new String[] {"../../etc/x", "1"}, new String[] {"/abs", "2"});
        CapturedFiles files = (CapturedFiles) Capture.open(file);
        assertThat(files.files()).isEmpty();
    }

    /** The first entry, of which 16 bytes are needed, expands from a megabyte to a gibibyte. */
    @Test
    void theFirstEntryIsNotInflatedToItsEnd() throws IOException {
        Path file = Files.createTempFile(directory, "hostile", ".zip");
        byte[] megabyte = new byte[1 << 20];
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.setLevel(java.util.zip.Deflater.BEST_SPEED);
            zip.putNextEntry(new ZipEntry("peerlane-capture"));
            zip.write("1\n".getBytes(UTF));
            for (int i = 0; i < 64; i++) {
                zip.write(megabyte);
            }
        }
        // damages the rest of the entry, which inflating would detect
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        assertThatThrownBy(() -> Capture.open(file))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("'peerlane-capture' holds more than 16 bytes");
    }

    @Test
    void theNumberOfLinksIsBounded() throws IOException {
        Path file = zip(new String[] {"links", "a/b\tc\n".repeat(300_000)});
        assertThat(Files.size(file)).isLessThan(100_000);
        assertThatThrownBy(() -> Capture.open(file))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("more than 200000 files and links");
        Path longer = zip(new String[] {"links", "a/b\tc\n".repeat(2_000_000)});
        assertThatThrownBy(() -> Capture.open(longer))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("'links' holds more than 8388608 bytes");
    }

    /** Each directory of the path would be a name to look up and to keep. */
    @Test
    void aPathDeeperThanAnyOfAMachineIsDropped() throws IOException {
        String deep = "d/".repeat(200) + "x";
        Path file = zip(new String[] {deep, "1"}, new String[] {"links", deep + "\tc\n"});
        CapturedFiles files = (CapturedFiles) Capture.open(file);
        assertThat(files.files()).isEmpty();
        assertThat(files.links()).isEmpty();
        assertThat(files.list("d")).isEmpty();
    }

    @Test
    void aZipBombIsRefused() throws IOException {
        Path file = zip(new String[] {"sys/x", "0".repeat(3 << 20)});
        assertThat(Files.size(file)).isLessThan(100_000);
        assertThatThrownBy(() -> Capture.open(file))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("its entry 'sys/x' holds more than 1048576 bytes");
    }

    @Test
    void linksOutOfADirectoryAreNotFollowed() throws IOException {
        Path secret = Files.writeString(directory.resolve("secret"), "0x8086");
        Path root = Files.createDirectories(directory.resolve("tree"));
        Path device = root.resolve("sys/bus/pci/devices/0000:00:00.0");
        Files.createDirectories(device);
        Files.createSymbolicLink(device.resolve("vendor"), secret);
        assertThat(SystemFiles.of(root).text("sys/bus/pci/devices/0000:00:00.0/vendor")).isNull();
        assertThat(SystemFiles.of(root).text("../secret")).isNull();
    }

    @Test
    void aFileThatIsNoCaptureIsRefusedByName() throws IOException {
        Path empty = Files.createFile(directory.resolve("empty"));
        for (Path file : List.of(empty, directory.resolve("absent"))) {
            assertThatThrownBy(() -> Capture.open(file))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining(file.toString());
        }
    }

    @Test
    void anExistingFileIsNotOverwritten() throws IOException {
        Path file = Files.createFile(directory.resolve("taken"));
        assertThatThrownBy(() -> Capture.write(new CapturedFiles("a test"), file))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("already");
    }

    /**
     * Flips bits, truncates files and mixes entries. The result is an answer or a typed error, in
     * time.
     */
    @Test
    void damagedCapturesNeverCrashOrHang() throws IOException {
        long seed = 20_260_101;
        Random random = new Random(seed);
        Path good = directory.resolve("good.zip");
        Capture.write(Capture.take(Shapes.cascade().files(), false), good);
        byte[] original = Files.readAllBytes(good);
        Path file = directory.resolve("bad.zip");
        Assertions.assertTimeout(
                Duration.ofSeconds(60),
                () -> {
                    for (int round = 0; round < Share.of(60); round++) {
                        byte[] bytes = original.clone();
                        for (int i = 0; i < 1 + random.nextInt(40); i++) {
                            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                        }
                        int length =
                                random.nextBoolean() ? bytes.length : random.nextInt(bytes.length);
                        Files.write(file, java.util.Arrays.copyOf(bytes, length));
                        try {
                            Doctor.examine(Snapshot.of(Capture.open(file)));
                        } catch (PeerlaneException e) {
                            assertThat(e.code()).as("seed %d", seed).isEqualTo("bad-capture");
                        }
                    }
                });
    }

    /** Builds random configuration spaces and texts, with loops and wrong sizes and offsets. */
    @Test
    void randomDevicesNeverCrashOrHang() {
        long seed = 4_711;
        Random random = new Random(seed);
        Assertions.assertTimeout(
                Duration.ofSeconds(60),
                () -> {
                    for (int round = 0; round < Share.of(300); round++) {
                        CapturedFiles files =
                                random.nextBoolean()
                                        ? Shapes.broadcom(0).files()
                                        : Shapes.vmd().files();
                        for (String path : List.copyOf(files.files().keySet())) {
                            if (random.nextInt(3) == 0) {
                                byte[] bytes = new byte[random.nextInt(4097)];
                                random.nextBytes(bytes);
                                mostlyPlausible(random, bytes);
                                files.put(path, bytes);
                            }
                        }
                        for (String path : List.copyOf(files.links().keySet())) {
                            if (random.nextInt(4) == 0) {
                                files.putLink(path, "../../devices/pci0000:00/" + A + "/" + B);
                            }
                        }
                        Snapshot snapshot = Snapshot.of(files);
                        Doctor.examine(snapshot);
                        Doctor.examine(snapshot, bdf(A), bdf(B), Buffer.AUTO);
                        AcsChange.load(keepNothing()).losses(snapshot.machine());
                    }
                });
    }

    @Test
    void aCaptureOfAbsurdlyManyDevicesIsExaminedInTime() {
        CapturedFiles files = new CapturedFiles("a test");
        byte[] drive = Shapes.broadcom(0).at(A).config.bytes();
        for (int i = 0; i < 20_000; i++) {
            String bdf = "0000:%02x:%02x.%d".formatted(i >>> 8 & 0xff, i >>> 3 & 0x1f, i & 7);
            files.put(SysfsTree.DEVICES + "/" + bdf + "/config", drive);
        }
        Assertions.assertTimeout(
                Duration.ofSeconds(60),
                () -> {
                    Snapshot snapshot = Snapshot.of(files);
                    assertThat(snapshot.machine().nvmeFunctions()).hasSize(20_000);
                    assertThat(Doctor.examine(snapshot).findings()).isNotEmpty();
                });
    }

    /**
     * Makes random bytes plausible enough to be walked: a bridge with capabilities that point at
     * each other.
     */
    private static void mostlyPlausible(Random random, byte[] bytes) {
        if (bytes.length > 0x40 && random.nextBoolean()) {
            bytes[6] |= 0x10;
            bytes[0x34] = 0x40;
            bytes[0x0e] = (byte) random.nextInt(2);
        }
        if (bytes.length > 0x104 && random.nextBoolean()) {
            bytes[0x100] = 0x0d;
            bytes[0x101] = 0;
            bytes[0x102] = 0x01;
            bytes[0x103] = 0x10;
        }
    }

    private Path keepNothing() throws IOException {
        Path keep = directory.resolve("nothing.txt");
        return Files.writeString(keep, "# peerlane acs 1\n");
    }
}
