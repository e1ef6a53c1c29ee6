package dev.peerlane.lab;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.Completions;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.nvme.NvmeStatusException;
import dev.peerlane.qtest.QtestFabric;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.Status;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares what the driver reads and writes with the image behind QEMU's controller. */
@Tag("qemu")
class DriverIoTest {
    private static final int MIB = 1 << 20;

    private Qemu qemu;
    private QtestFabric fabric;
    private Controller controller;
    private Namespace namespace;
    private Path image;

    private void start(Drive drive) {
        qemu = Qemu.machine().ramMib(64).drive(drive).start();
        fabric = qemu.attach();
        String locator = fabric.locators().getFirst();
        controller = Controller.open(fabric, locator, ControllerOptions.DEFAULTS);
        namespace = controller.namespace(1);
        image = qemu.image(drive.name());
    }

    @AfterEach
    void stop() {
        controller.close();
        fabric.close();
        qemu.close();
        assertThat(controller.closeProblem()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096})
    void randomTransfersAgreeWithTheImage(int blockBytes) throws IOException {
        start(Drive.named("ssd0").blockBytes(blockBytes));
        long seed = 0x10_5eedL + blockBytes;
        Random random = new Random(seed);
        byte[] expected = Data.random(seed, 16 * MIB);
        Data.write(image, 0, expected);
        try (DmaBuffer buffer = fabric.dma().allocate(2 * MIB)) {
            for (int i = 0; i < 60; i++) {
                // across pages, PRP lists and the limit of one command
                int blocks = 1 + random.nextInt(MIB / blockBytes);
                int lba = random.nextInt(16 * MIB / blockBytes - blocks);
                int offset = random.nextInt(4096) * 4;
                int bytes = blocks * blockBytes;
                String when = "seed %x, step %d: %d blocks at %d, buffer offset 0x%x";
                when = when.formatted(seed, i, blocks, lba, offset);
                if (random.nextBoolean()) {
                    namespace.read(buffer, offset, lba, blocks);
                } else {
                    byte[] data = Data.random(random.nextLong(), bytes);
                    Data.put(buffer, offset, data);
                    namespace.write(buffer, offset, lba, blocks);
                    System.arraycopy(data, 0, expected, lba * blockBytes, bytes);
                }
                assertThat(Data.of(buffer, offset, bytes))
                        .as(when)
                        .isEqualTo(
                                Arrays.copyOfRange(
                                        expected, lba * blockBytes, lba * blockBytes + bytes));
            }
        }
        namespace.flush();
        assertThat(Data.read(image, 0, 16 * MIB)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096})
    void readWritesNothingAroundItsData(int blockBytes) throws IOException {
        start(Drive.named("ssd0").blockBytes(blockBytes));
        Data.write(image, 0, Data.random(7, MIB));
        try (DmaBuffer buffer = fabric.dma().allocate(MIB)) {
            for (int offset : new int[] {0, 4, 4092, 8192}) {
                for (int blocks : new int[] {1, 2, 9, 17}) {
                    buffer.segment().fill((byte) 0xa5);
                    int bytes = blocks * blockBytes;
                    namespace.read(buffer, offset, 3, blocks);
                    byte[] before = new byte[offset];
                    Arrays.fill(before, (byte) 0xa5);
                    assertThat(Data.of(buffer, 0, offset)).isEqualTo(before);
                    assertThat(Data.of(buffer, offset, bytes))
                            .isEqualTo(Data.read(image, 3L * blockBytes, bytes));
                    assertThat(Data.of(buffer, offset + bytes, 8192)).containsOnly(0xa5);
                }
            }
        }
    }

    @Test
    void compareTellsEqualFromDifferent() throws IOException {
        start(Drive.named("ssd0"));
        byte[] data = Data.random(11, 64 << 10);
        Data.write(image, 5 * 512, data);
        try (DmaBuffer buffer = fabric.dma().allocate(64 << 10)) {
            Data.put(buffer, 0, data);
            namespace.compare(buffer, 0, 5, 128);
            buffer.segment().set(JAVA_BYTE, 65_535, (byte) ~data[65_535]);
            assertThatExceptionOfType(NvmeStatusException.class)
                    .isThrownBy(() -> namespace.compare(buffer, 0, 5, 128))
                    .satisfies(e -> assertThat(Status.code(e.status())).isEqualTo(0x285))
                    .satisfies(e -> assertThat(e.getMessage()).contains("/n1", "128 blocks at 5"));
            namespace.compare(buffer, 0, 5, 127);
        }
    }

    @Test
    void writeZeroesAndDeallocateClearTheirBlocksOnly() throws IOException {
        start(Drive.named("ssd0"));
        Data.write(image, 0, Data.marked(0x1122_3344_5566_7788L, MIB));
        byte[] expected = Data.read(image, 0, MIB);
        namespace.writeZeroes(9, 100);
        Arrays.fill(expected, 9 * 512, 109 * 512, (byte) 0);
        assertThat(Data.read(image, 0, MIB)).isEqualTo(expected);
        namespace.deallocate(1024, 256);
        Arrays.fill(expected, 1024 * 512, 1280 * 512, (byte) 0);
        namespace.flush();
        assertThat(Data.read(image, 0, MIB)).isEqualTo(expected);
        try (DmaBuffer buffer = fabric.dma().allocate(512 << 10)) {
            namespace.read(buffer, 0, 1000, 300);
            assertThat(Data.of(buffer, 0, 300 * 512))
                    .isEqualTo(Arrays.copyOfRange(expected, 1000 * 512, 1300 * 512));
        }
    }

    @Test
    void rangesPastTheEndAreRefusedBeforeTheyReachTheDevice() {
        start(Drive.named("ssd0"));
        long end = namespace.blockCount();
        try (DmaBuffer buffer = fabric.dma().allocate(4096)) {
            namespace.write(buffer, 0, end - 8, 8);
            assertThatExceptionOfType(PeerlaneException.class)
                    .isThrownBy(() -> namespace.write(buffer, 0, end - 7, 8))
                    .satisfies(e -> assertThat(e.code()).isEqualTo("range-past-end"));
            assertThatThrownBy(() -> namespace.read(buffer, 0, 0, 9))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(controller.admin().errors(4)).isEmpty();
    }

    @Test
    void mediaErrorsComeAsTheirStatusAndLeaveTheRestUsable() {
        start(Drive.named("ssd0").readError(100).writeError(200));
        try (DmaBuffer buffer = fabric.dma().allocate(64 << 10)) {
            for (int i = 0; i < 3; i++) {
                assertThatExceptionOfType(NvmeStatusException.class)
                        .isThrownBy(() -> namespace.read(buffer, 0, 96, 8))
                        .satisfies(e -> assertThat(Status.code(e.status())).isEqualTo(0x281))
                        .satisfies(e -> assertThat(e.statusCodeType()).isEqualTo(2))
                        .satisfies(e -> assertThat(e.statusCode()).isEqualTo(0x81));
                namespace.read(buffer, 0, 101, 8);
                assertThatExceptionOfType(NvmeStatusException.class)
                        .isThrownBy(() -> namespace.write(buffer, 0, 200, 1))
                        .satisfies(e -> assertThat(Status.code(e.status())).isEqualTo(0x280));
                namespace.write(buffer, 0, 201, 8);
                namespace.write(buffer, 0, 100, 1);
                namespace.read(buffer, 0, 200, 1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void sglsAndShadowDoorbellsMoveTheSameBytes(boolean used) throws IOException {
        start(Drive.named("ssd0"));
        assertThat(controller.identity().sglSupport()).isEqualTo(IdentifyController.SGL_BYTES);
        assertThat(controller.identity().supportsDoorbellBuffer()).isTrue();
        controller.close();
        ControllerOptions options =
                ControllerOptions.DEFAULTS.withSgls(used).withShadowDoorbells(used);
        controller = Controller.open(fabric, fabric.locators().getFirst(), options);
        byte[] expected = Data.random(0x5_91L, 16 * MIB);
        Data.write(image, 0, expected);
        int slotBytes = 128 << 10;
        int slots = 16;
        try (NvmeBlockPort port = controller.namespace(1).port(slots);
                HostMemory.HostBuffer memory =
                        new HostMemory(fabric.dma()).allocate((long) slots * slotBytes, 4096)) {
            port.attach(memory, 0, slotBytes, slotBytes, slots);
            for (int round = 0; round < 16; round++) {
                for (int slot = 0; slot < slots; slot++) {
                    long lba = (long) (round * slots + slot) % 128 * (slotBytes / 512);
                    assertThat(port.submitRead(slot, lba, slotBytes / 512)).isTrue();
                    if (slot % 5 == 0) {
                        port.ring();
                    }
                }
                drain(port);
                for (int slot = 0; slot < slots; slot++) {
                    int at = (round * slots + slot) % 128 * slotBytes;
                    long first = memory.load64((long) slot * slotBytes);
                    long last = memory.load64((long) (slot + 1) * slotBytes - 8);
                    assertThat(first).isEqualTo(word(expected, at));
                    assertThat(last).isEqualTo(word(expected, at + slotBytes - 8));
                }
            }
        }
    }

    private static long word(byte[] bytes, int at) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(at);
    }

    private void drain(NvmeBlockPort port) {
        port.ring();
        boolean done =
                fabric.clock()
                        .await(
                                () -> {
                                    port.poll(
                                            64,
                                            new Completions() {
                                                @Override
                                                public void completed(int slot, int status) {
                                                    assertThat(status).isZero();
                                                }
                                            });
                                    return port.inFlight() == 0;
                                },
                                20_000_000_000L);
        assertThat(done).isTrue();
    }
}
