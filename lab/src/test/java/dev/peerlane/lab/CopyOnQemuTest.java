package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.copy.engine.CopyJob;
import dev.peerlane.hal.Bar;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.qtest.IntelIommu;
import dev.peerlane.qtest.QtestFabric;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests copies on QEMU's controllers, two behind a switch and one on a root port. The result is
 * read from the target's backing file.
 */
@Tag("qemu")
class CopyOnQemuTest {
    private static final int SECTOR = 512;

    /** The offset of RAM that no table maps, beyond all allocations. */
    private static final long OUTSIDE = 160L << 20;

    @TempDir private Path directory;

    private static Qemu.Builder machine() {
        return Qemu.machine()
                .drive(Drive.named("ssd0").behindSwitch("sw").sizeMib(16).cmbMib(4))
                .drive(Drive.named("ssd1").behindSwitch("sw").sizeMib(16).cmbMib(4))
                .drive(Drive.named("ssd2").sizeMib(16).cmbMib(4));
    }

    private static void fill(Path image, long seed) throws IOException {
        byte[] data = new byte[8 << 20];
        new SplittableRandom(seed).nextBytes(data);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.write(data);
        }
    }

    private static BufferChoice choice(String name, Session session) {
        return switch (name) {
            case "target" -> BufferChoice.TARGET;
            case "source" -> BufferChoice.SOURCE;
            case "third" -> BufferChoice.device(session.fabric().locators().get(2));
            default -> BufferChoice.HOST;
        };
    }

    @ParameterizedTest
    @CsvSource({
        "target, target-cmb, sentinel, target-compare",
        "source, source-cmb, none, source-compare",
        "third, third-party-cmb, sentinel, target-compare",
        "host, host, none, host"
    })
    void everyBufferCarriesACopyThatIsInTheBackingFile(
            String buffer, String kind, String fence, String method) throws IOException {
        try (Qemu qemu = machine().start()) {
            fill(qemu.image("ssd0"), 5);
            try (Session session = Session.of(qemu.attach())) {
                List<String> devices = session.fabric().locators();
                Receipt receipt =
                        session.copy(
                                new Extent(devices.get(0), 1, 8L, 9000L),
                                new Extent(devices.get(1), 1, 24L, null),
                                CopyOptions.DEFAULTS.withBuffer(choice(buffer, session)));
                assertThat(receipt.result()).isEqualTo("ok");
                assertThat(receipt.buffer().kind()).isEqualTo(kind);
                assertThat(receipt.fence()).isEqualTo(fence);
                assertThat(receipt.verify().method()).isEqualTo(method);
                assertThat(receipt.verify().result()).isEqualTo("ok");
                assertThat(receipt.bytesCopied()).isEqualTo(9000 * SECTOR);
            }
            byte[] from = Files.readAllBytes(qemu.image("ssd0"));
            byte[] to = Files.readAllBytes(qemu.image("ssd1"));
            byte[] expected = new byte[to.length];
            System.arraycopy(from, 8 * SECTOR, expected, 24 * SECTOR, 9000 * SECTOR);
            assertThat(MemorySegment.ofArray(to).mismatch(MemorySegment.ofArray(expected)))
                    .as("first byte of the backing file that is not as it should be")
                    .isEqualTo(-1);
        }
    }

    @Test
    void aFileSystemIsCopiedAndItsDataIsNowhereInHostMemory() throws Exception {
        byte[] pattern = new byte[64];
        new SplittableRandom(99).nextBytes(pattern);
        try (Qemu qemu = machine().start()) {
            Ext4.make(qemu.image("ssd0"), 16 << 20, directory, pattern);
            copyAll(qemu, BufferChoice.TARGET);
            Map<String, Integer> files = Ext4.check(qemu.image("ssd1"), directory);
            assertThat(files).hasSize(22);
            assertThat(files).isEqualTo(Ext4.check(qemu.image("ssd0"), directory));
            assertThat(occurrences(qemu.ram(), pattern)).as("in the RAM file").isZero();
        }
    }

    /** Validates the test above: the same method must detect a copy through host memory. */
    @Test
    void aCopyThroughHostMemoryIsSeenInTheRamFile() throws Exception {
        byte[] pattern = new byte[64];
        new SplittableRandom(98).nextBytes(pattern);
        try (Qemu qemu = machine().start()) {
            Ext4.make(qemu.image("ssd0"), 16 << 20, directory, pattern);
            copyAll(qemu, BufferChoice.HOST);
            assertThat(Ext4.check(qemu.image("ssd1"), directory)).hasSize(22);
            assertThat(occurrences(qemu.ram(), pattern)).isPositive();
        }
    }

    private static void copyAll(Qemu qemu, BufferChoice buffer) {
        try (Session session = Session.of(qemu.attach())) {
            List<String> devices = session.fabric().locators();
            CopyOptions options = CopyOptions.DEFAULTS.withBuffer(buffer).withWipe(false);
            session.copy(Extent.of(devices.get(0)), Extent.of(devices.get(1)), options);
        }
    }

    private static int occurrences(Path file, byte[] pattern) throws IOException {
        int found = 0;
        try (FileChannel channel = FileChannel.open(file)) {
            var bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            for (int at = 0; at + pattern.length <= bytes.limit(); at++) {
                if (bytes.get(at) == pattern[0]
                        && bytes.slice(at, pattern.length)
                                .equals(java.nio.ByteBuffer.wrap(pattern))) {
                    found++;
                }
            }
        }
        return found;
    }

    @ParameterizedTest
    @ValueSource(strings = {"target", "source", "third"})
    void behindAnIommuThatKnowsNoDataInHostMemoryACopyFaultsNowhere(String buffer)
            throws IOException {
        try (Qemu qemu = machine().iommu(39).start()) {
            fill(qemu.image("ssd0"), 6);
            QtestFabric fabric = qemu.attach();
            IntelIommu iommu = fabric.iommu().orElseThrow();
            try (Session session = Session.of(fabric)) {
                List<String> devices = fabric.locators();
                session.copy(
                        new Extent(devices.get(0), 1, 0L, 16384L),
                        new Extent(devices.get(1), 1, 0L, null),
                        CopyOptions.DEFAULTS.withBuffer(choice(buffer, session)));
                assertThat(iommu.faults().isEmpty()).isTrue();
            }
            assertThat(differs(qemu)).isEqualTo(-1);
        }
    }

    /**
     * Validates the test above: data in unmapped host memory must fault. QEMU completes such
     * commands with success, so the copy reports success.
     */
    @Test
    void behindAnIommuDataInHostMemoryThatItDoesNotKnowFaults() throws IOException {
        try (Qemu qemu = machine().iommu(39).start()) {
            fill(qemu.image("ssd0"), 7);
            QtestFabric fabric = qemu.attach();
            IntelIommu iommu = fabric.iommu().orElseThrow();
            try (Session session = Session.of(fabric)) {
                List<String> devices = fabric.locators();
                CopyPlan plan =
                        session.plan(
                                new Extent(devices.get(0), 1, 0L, 16384L),
                                new Extent(devices.get(1), 1, 0L, null),
                                CopyOptions.DEFAULTS
                                        .withBuffer(BufferChoice.HOST)
                                        .withVerify(VerifyMode.NONE));
                new CopyJob(
                                plan,
                                Surroundings.of(new OutsideFabric(fabric, qemu.ram(), OUTSIDE)),
                                new CancelFlag())
                        .run(Progress.NONE);
                assertThat(iommu.faults().isEmpty()).isFalse();
            }
            assertThat(differs(qemu)).isNotEqualTo(-1);
        }
    }

    private static long differs(Qemu qemu) throws IOException {
        return Files.mismatch(qemu.image("ssd0"), qemu.image("ssd1"));
    }

    @Test
    void blocksOf512And4096BytesAreExchanged() throws IOException {
        try (Qemu qemu =
                Qemu.machine()
                        .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(1))
                        .drive(Drive.named("ssd1").behindSwitch("sw").cmbMib(1).blockBytes(4096))
                        .start()) {
            fill(qemu.image("ssd0"), 8);
            try (Session session = Session.of(qemu.attach())) {
                List<String> devices = session.fabric().locators();
                session.copy(
                        Extent.of(devices.get(0)), Extent.of(devices.get(1)), CopyOptions.DEFAULTS);
            }
            assertThat(differs(qemu)).isEqualTo(-1);
        }
    }

    @Test
    void aCopyInsideOneNamespaceGoesThroughItsOwnCmb() throws IOException {
        try (Qemu qemu = machine().start()) {
            fill(qemu.image("ssd0"), 9);
            try (Session session = Session.of(qemu.attach())) {
                String device = session.fabric().locators().get(0);
                Receipt receipt =
                        session.copy(
                                new Extent(device, 1, 0L, 4096L),
                                new Extent(device, 1, 16384L, null),
                                CopyOptions.DEFAULTS);
                assertThat(receipt.buffer().kind()).isEqualTo("target-cmb");
                assertThat(receipt.fence()).isEqualTo("none");
            }
            byte[] all = Files.readAllBytes(qemu.image("ssd0"));
            MemorySegment image = MemorySegment.ofArray(all);
            assertThat(
                            image.asSlice(0, 4096 * SECTOR)
                                    .mismatch(image.asSlice(16384L * SECTOR, 4096 * SECTOR)))
                    .isEqualTo(-1);
        }
    }

    @Test
    void whatAnotherRunLeftInTheCmbIsWiped() {
        try (Qemu qemu = machine().start();
                Session session = Session.of(qemu.attach())) {
            List<String> devices = session.fabric().locators();
            session.copy(
                    new Extent(devices.get(0), 1, 0L, 4096L),
                    new Extent(devices.get(1), 1, 0L, null),
                    CopyOptions.DEFAULTS);
            Namespace target = session.namespace(Extent.of(devices.get(1)));
            Bar bar = target.device().bar(2);
            for (long at = 0; at < bar.sizeBytes(); at += 4096) {
                assertThat(bar.load64(at)).isZero();
            }
        }
    }
}
