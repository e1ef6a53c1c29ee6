package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.MIB;
import static dev.peerlane.emulator.TestFabrics.one;
import static dev.peerlane.emulator.TestFabrics.randomize;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.media.Namespaces;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.LogPage;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.SmartLog;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.DsmRange;
import dev.peerlane.spec.wire.NvmCommand;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests namespaces in files. */
class MediaTest {
    @TempDir Path folder;

    private static DriveModel.Builder drive(NamespaceModel namespace) {
        return DriveModel.named("a").namespace(namespace);
    }

    private Path image(int bytes) throws IOException {
        Path file = folder.resolve("image");
        Files.write(file, new byte[bytes]);
        return file;
    }

    @Test
    void whatIsWrittenIsInTheFile() throws IOException {
        Path file = image(65_536);
        byte[] data = new byte[4096];
        try (EmulatedFabric fabric = one(drive(NamespaceModel.image(file, 512)));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer buffer = driver.allocate(4096);
            randomize(buffer.segment(), 5);
            buffer.segment().asByteBuffer().get(data);
            long at = buffer.busAddress();
            assertThat(queue.io(NvmOpcode.WRITE, 8, 8, at, 0).status()).isZero();
            assertThat(queue.run(NvmOpcode.FLUSH, 1, 0, 0).status()).isZero();
            int fua = NvmCommand.cdw12(1, true);
            assertThat(queue.run(NvmOpcode.WRITE, 1, at, 0, 127, 0, fua).status()).isZero();
            assertThat(queue.io(NvmOpcode.WRITE_ZEROES, 9, 1, 0, 0).status()).isZero();
            buffer.segment().fill((byte) 0);
            assertThat(queue.io(NvmOpcode.READ, 8, 8, at, 0).status()).isZero();
            Arrays.fill(data, 512, 1024, (byte) 0);
            assertThat(buffer.segment().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(data);
        }
        byte[] stored = Files.readAllBytes(file);
        assertThat(stored).hasSize(65_536);
        assertThat(Arrays.copyOfRange(stored, 4096, 8192)).isEqualTo(data);
        assertThat(Arrays.copyOfRange(stored, 65_024, 65_536)).isEqualTo(Arrays.copyOf(data, 512));
    }

    @Test
    void anImageThatDoesNotFitLeavesNoFile() {
        Path file = folder.resolve("huge");
        try (EmulatedFabric fabric = one(drive(sized(file, Long.MAX_VALUE / 512 * 512)))) {
            Assumptions.abort("a file system takes it: " + fabric.locators());
        } catch (PeerlaneException e) {
            assertThat(e).hasMessageContaining(file.toString());
            assertThat(e.code()).isEqualTo("image-unreadable");
        }
        assertThat(file).doesNotExist();
    }

    @Test
    void aFabricThatCannotBeMadeLeavesNoFileAndKeepsWhatWasThere() throws IOException {
        Path there = image(65_536);
        Path made = folder.resolve("made");
        FabricModel model =
                FabricModel.builder()
                        .drive(drive(NamespaceModel.image(there, 512)).build())
                        .drive(
                                DriveModel.named("b")
                                        .namespace(sized(made, MIB))
                                        .namespace(sized(folder.resolve("made2"), MIB))
                                        .build())
                        .drive(
                                DriveModel.named("c")
                                        .namespace(sized(folder.resolve("made3"), MIB))
                                        .namespace(sized(there, MIB))
                                        .build())
                        .build();
        assertThatThrownBy(() -> new EmulatedFabric(model)).isInstanceOf(PeerlaneException.class);
        assertThat(folder.toFile().list()).containsExactly("image");
        assertThat(there).hasSize(65_536);
    }

    private static NamespaceModel sized(Path file, long bytes) {
        return new NamespaceModel(bytes, file, 512, false, 0, 0, CommandSet.NVM);
    }

    @Test
    void aDriveOf512TebibytesCanBeMade() {
        long bytes = 512L << 40;
        try (EmulatedFabric fabric = one(drive(NamespaceModel.memory(bytes, 512)))) {
            assertThat(MiniDriver.up(fabric, "a")).isNotNull();
        }
    }

    @Test
    void discardingNamespaceChecksCommandsAndMovesNothing() {
        try (EmulatedFabric fabric = one(drive(NamespaceModel.discarding(MIB, 512)));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer buffer = driver.allocate(4096);
            buffer.segment().fill((byte) 3);
            long at = buffer.busAddress();
            assertThat(queue.io(NvmOpcode.WRITE, 8, 8, at, 0).status()).isZero();
            assertThat(queue.io(NvmOpcode.READ, 8, 8, at, 0).status()).isZero();
            assertThat(buffer.segment().toArray(ValueLayout.JAVA_BYTE)).containsOnly(3);
            var moved = fabric.traffic().orElseThrow().total();
            assertThat(moved.hostData()).isZero();
            assertThat(queue.io(NvmOpcode.READ, MIB / 512, 1, at, 0).code())
                    .isEqualTo(Status.LBA_OUT_OF_RANGE);
            assertThat(queue.io(NvmOpcode.COMPARE, 8, 8, at, 0).code())
                    .as("the medium is zeroes")
                    .isEqualTo(Status.COMPARE_FAILURE);
        }
    }

    @Test
    void withoutWriteCacheWritesAreDurableByThemselves() throws IOException {
        Path file = image(8192);
        DriveModel.Builder drive =
                drive(NamespaceModel.image(file, 4096)).volatileWriteCache(false);
        try (EmulatedFabric fabric = one(drive);
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer buffer = driver.allocate(4096);
            buffer.segment().fill((byte) 3);
            assertThat(queue.io(NvmOpcode.WRITE, 1, 1, buffer.busAddress(), 0).status()).isZero();
            assertThat(Files.readAllBytes(file)[4096]).isEqualTo((byte) 3);
        }
    }

    private EmulatedFabric cached(boolean cache) throws IOException {
        DriveModel.Builder drive = DriveModel.named("a").volatileWriteCache(cache);
        for (String name : new String[] {"1", "2", "3"}) {
            Path file = Files.write(folder.resolve(name), new byte[8192]);
            drive.namespace(NamespaceModel.image(file, 512));
        }
        return one(drive);
    }

    /** Returns the namespaces whose cache may hold data that is not on the medium. */
    private static List<Integer> dirty(EmulatedFabric fabric) {
        Namespaces namespaces = fabric.controller("a").machine().namespaces();
        return IntStream.rangeClosed(1, 3)
                .filter(i -> namespaces.get(i).media().isDirty())
                .boxed()
                .toList();
    }

    /** Flush: NVMe Base 2.0, 7.1. */
    @Test
    void flushWritesTheCacheOfItsNamespaceAndOfAllWithTheBroadcastValue() throws IOException {
        try (EmulatedFabric fabric = cached(true);
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            assertThat(dirty(fabric))
                    .as("their previous users are unknown")
                    .containsExactly(1, 2, 3);
            assertThat(queue.run(NvmOpcode.FLUSH, -1, 0, 0).status()).isZero();
            assertThat(dirty(fabric)).isEmpty();
            long at = driver.allocate(4096).busAddress();
            for (int nsid = 1; nsid <= 3; nsid++) {
                assertThat(queue.run(NvmOpcode.WRITE, nsid, at, 0, MiniDriver.lba(0, 8)).status())
                        .isZero();
            }
            assertThat(queue.run(NvmOpcode.FLUSH, 2, 0, 0).status()).isZero();
            assertThat(dirty(fabric)).containsExactly(1, 3);
            assertThat(queue.run(NvmOpcode.FLUSH, -1, 0, 0).status()).isZero();
            assertThat(dirty(fabric)).isEmpty();
        }
    }

    /** FUA: NVM Command Set 1.0, 3.2.6 and 3.2.8; without a cache all commands are like that. */
    @ParameterizedTest
    @CsvSource({
        "WRITE, true, false, true",
        "WRITE, true, true, false",
        "WRITE, false, false, false",
        "WRITE_ZEROES, true, false, true",
        "WRITE_ZEROES, true, true, false",
        "WRITE_ZEROES, false, false, false",
        "DEALLOCATE, true, false, true",
        "DEALLOCATE, false, false, false"
    })
    void onlyWhatMayStayInTheCacheDoes(String command, boolean cache, boolean fua, boolean stays)
            throws IOException {
        try (EmulatedFabric fabric = cached(cache);
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            assertThat(queue.run(NvmOpcode.FLUSH, -1, 0, 0).status()).isZero();
            DmaBuffer page = driver.allocate(4096);
            DsmRange.put(page.segment(), 0, 0, 8);
            int count = NvmCommand.cdw12(8, fua);
            int[] words =
                    command.equals("DEALLOCATE")
                            ? new int[] {0, NvmCommand.DSM_DEALLOCATE}
                            : new int[] {0, 0, count};
            int opcode =
                    switch (command) {
                        case "WRITE" -> NvmOpcode.WRITE;
                        case "WRITE_ZEROES" -> NvmOpcode.WRITE_ZEROES;
                        default -> NvmOpcode.DATASET_MANAGEMENT;
                    };
            assertThat(queue.run(opcode, 3, page.busAddress(), 0, words).status()).isZero();
            assertThat(dirty(fabric)).isEqualTo(stays ? List.of(3) : List.of());
        }
    }

    @Test
    void missingImageIsMadeWhenItsSizeIsKnown() throws IOException {
        Path file = folder.resolve("new");
        NamespaceModel model = new NamespaceModel(MIB, file, 512, false, 0, 0, 0);
        one(drive(model)).close();
        assertThat(Files.size(file)).isEqualTo(MIB);
        assertThatThrownBy(() -> one(drive(NamespaceModel.image(folder.resolve("none"), 512))))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("none")
                .hasMessageContaining("does not exist");
    }

    @Test
    void imagesOfTheWrongLengthAreRefused() throws IOException {
        Path file = image(1000);
        assertThatThrownBy(() -> one(drive(NamespaceModel.image(file, 512))))
                .hasMessageContaining("1000 bytes");
        NamespaceModel longer = new NamespaceModel(8192, file, 512, false, 0, 0, 0);
        assertThatThrownBy(() -> one(drive(longer))).hasMessageContaining("not 8192");
        assertThatThrownBy(() -> one(drive(NamespaceModel.image(folder, 512))))
                .isInstanceOf(PeerlaneException.class);
    }

    @Test
    void imageHasOneDriveAtATime() throws IOException {
        Path file = image(8192);
        try (EmulatedFabric first = one(drive(NamespaceModel.image(file, 512)))) {
            assertThat(first.locators()).hasSize(1);
            assertThatThrownBy(() -> one(drive(NamespaceModel.image(file, 512))))
                    .hasMessageContaining("in use");
        }
        one(drive(NamespaceModel.image(file, 512))).close();
    }

    @Test
    void writeProtectedImageIsNotEvenOpenedForWriting() throws IOException {
        Path file = image(8192);
        NamespaceModel model = NamespaceModel.image(file, 512).withWriteProtected(true);
        try (EmulatedFabric fabric = one(drive(model));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            long at = driver.allocate(4096).busAddress();
            assertThat(queue.io(NvmOpcode.READ, 0, 8, at, 0).status()).isZero();
            assertThat(queue.io(NvmOpcode.WRITE, 0, 8, at, 0).code())
                    .isEqualTo(Status.NAMESPACE_WRITE_PROTECTED);
            assertThat(queue.run(NvmOpcode.FLUSH, 1, 0, 0).status()).isZero();
        }
    }

    @Test
    void imageThatShrankIsAMediaError() throws IOException {
        Path file = image(8192);
        try (EmulatedFabric fabric = one(drive(NamespaceModel.image(file, 512)));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            Queue queue = driver.ioQueue(1, 4);
            DmaBuffer page = driver.allocate(4096);
            try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
                raw.setLength(4096);
            }
            assertThat(queue.io(NvmOpcode.READ, 8, 8, page.busAddress(), 0).code())
                    .isEqualTo(Status.UNRECOVERED_READ_ERROR);
            assertThat(queue.io(NvmOpcode.READ, 0, 8, page.busAddress(), 0).status()).isZero();
            driver.log(LogPage.SMART, 0, page, 512, 0);
            assertThat(new SmartLog(page.segment()).mediaErrors()).isEqualTo(BigInteger.ONE);
        }
    }
}
