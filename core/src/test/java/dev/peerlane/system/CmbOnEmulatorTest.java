package dev.peerlane.system;

import static dev.peerlane.system.EmulatedPair.MIB;
import static dev.peerlane.system.EmulatedPair.drive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.CmbModel.Version;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.nvme.CmbField;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerFault;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.nvme.NvmeStatusException;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Reg;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every shape of controller memory buffer, as target, as source, and with its restrictions. */
class CmbOnEmulatorTest {
    record Shape(String name, CmbModel model, long usable) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Shape> shapes() {
        List<Shape> shapes = new ArrayList<>();
        for (Version v : Version.values()) {
            CmbModel plain = CmbModel.of(2 * MIB).withVersion(v);
            shapes.add(new Shape(v + " 2 MiB", plain, 2 * MIB));
            shapes.add(new Shape(v + " 4 KiB", CmbModel.of(4096).withVersion(v), 4096));
            shapes.add(
                    new Shape(
                            v + " at unit 3 of 64 KiB in BAR 4",
                            plain.withPlace(4, 65536, 3, 0),
                            2 * MIB));
            shapes.add(
                    new Shape(
                            v + " at unit 77 of 4 KiB", plain.withPlace(2, 4096, 77, 0), 2 * MIB));
            shapes.add(
                    new Shape(
                            v + " larger than its BAR",
                            plain.withPlace(2, 4096, 5, MIB),
                            MIB - 5 * 4096));
            shapes.add(
                    new Shape(v + " behind the registers", plain.withPlace(0, MIB, 1, 0), 2 * MIB));
            shapes.add(
                    new Shape(
                            v + " 12 KiB",
                            CmbModel.of(12288).withVersion(v).withPlace(2, 4096, 1, 0),
                            12288));
        }
        return shapes;
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void dataPassesThroughTheTargetsCmb(Shape shape) {
        through(shape, drive("a").memory(8 * MIB, 512), drive("b").cmb(shape.model));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void dataPassesThroughTheSourcesCmb(Shape shape) {
        through(shape, drive("a").memory(8 * MIB, 512).cmb(shape.model), drive("b"));
    }

    private static void through(Shape shape, DriveModel.Builder a, DriveModel.Builder b) {
        try (EmulatedPair p = EmulatedPair.of(a, b.memory(8 * MIB, 512))) {
            Controller owner = p.b.cmb().isPresent() ? p.b : p.a;
            ControllerMemoryBuffer cmb = owner.requireCmb();
            assertThat(cmb.sizeBytes()).isEqualTo(shape.usable);
            assertThat(cmb.isClamped()).isEqualTo(shape.model.sizeBytes() != shape.usable);
            cmb.enable(p.fabric.dma());
            int slotBytes = (int) Math.min(16384, shape.usable);
            int slots = (int) Math.min(8, shape.usable / slotBytes);
            int blocks = slotBytes / 512;
            long bytes = 40L * slotBytes;
            p.scramble(p.a.namespace(1), 0, bytes, 11);
            long hostBefore = p.fabric.traffic().orElseThrow().total().hostData();
            // The last bytes of the buffer, too: that is where a wrong clamp shows.
            PeerBuffer whole = cmb.mapWhole();
            long first = shape.usable - (long) slots * slotBytes;
            try (NvmeBlockPort from = p.a.namespace(1).port(8);
                    NvmeBlockPort to = p.b.namespace(1).port(8)) {
                from.attach(whole, first, slotBytes, slotBytes, slots);
                to.attach(whole, first, slotBytes, slotBytes, slots);
                for (int chunk = 0; chunk < 40; chunk += slots) {
                    int n = Math.min(slots, 40 - chunk);
                    for (int s = 0; s < n; s++) {
                        from.submitRead(s, (long) (chunk + s) * blocks, blocks);
                    }
                    assertThat(p.drain(from).statuses).containsOnly(0);
                    for (int s = 0; s < n; s++) {
                        to.submitWrite(s, 100 + (long) (chunk + s) * blocks, blocks);
                    }
                    assertThat(p.drain(to).statuses).containsOnly(0);
                }
            }
            assertThat(p.fabric.traffic().orElseThrow().total().hostData()).isEqualTo(hostBefore);
            assertThat(p.content(p.b.namespace(1), 100, bytes))
                    .isEqualTo(p.content(p.a.namespace(1), 0, bytes));
            cmb.unmapWhole();
            assertThat(cmb.mapWhole().load64(first)).as("wiped").isZero();
            cmb.unmapWhole();
            cmb.disable();
            cmb.enable(p.fabric.dma());
        }
    }

    @Test
    void restrictionsBindTheOwnerOnly() {
        CmbModel queuesOnly = CmbModel.of(MIB).withSupport(CmbModel.SQS);
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a").memory(MIB, 512), drive("b").memory(MIB, 512).cmb(queuesOnly))) {
            ControllerMemoryBuffer cmb = p.b.requireCmb();
            assertThat(cmb.ownerMayRead()).isFalse();
            assertThat(cmb.ownerMayWrite()).isFalse();
            cmb.enable(p.fabric.dma());
            try (PeerBuffer data = cmb.allocate(4096, 4096)) {
                p.a.namespace(1).read(data, 0, 0, 8);
                p.a.namespace(1).write(data, 0, 0, 8);
                p.a.namespace(1).compare(data, 0, 0, 8);
                for (Runnable io :
                        List.<Runnable>of(
                                () -> p.b.namespace(1).read(data, 0, 0, 8),
                                () -> p.b.namespace(1).write(data, 0, 0, 8),
                                () -> p.b.namespace(1).compare(data, 0, 0, 8))) {
                    assertThatThrownBy(io::run)
                            .isInstanceOfSatisfying(
                                    NvmeStatusException.class,
                                    e ->
                                            assertThat(Status.code(e.status()))
                                                    .isEqualTo(Status.INVALID_CMB_USE));
                }
            }
        }
    }

    @Test
    void addressThatTheControllerCannotServeIsRefused() {
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a").memory(MIB, 512),
                        drive("b").memory(MIB, 512).cmb(CmbModel.of(MIB).withAddressBits(20)))) {
            assertThatThrownBy(() -> p.b.requireCmb().enable(p.fabric.dma()))
                    .isInstanceOfSatisfying(
                            ControllerFault.class,
                            e -> assertThat(e.code()).isEqualTo("cmb-refused"))
                    .hasMessageContaining("CMBSTS 00000001h");
            assertThat(p.b.requireCmb().isEnabled()).isFalse();
        }
    }

    @Test
    void bytesOfHostMemoryGoToABufferAndComeBackByWords() {
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a").memory(MIB, 512),
                        drive("b").memory(MIB, 512).cmb(CmbModel.of(MIB)))) {
            p.b.requireCmb().enable(p.fabric.dma());
            byte[] bytes = new byte[1000];
            new SplittableRandom(7).nextBytes(bytes);
            try (PeerBuffer data = p.b.requireCmb().allocate(4096, 4096)) {
                data.fill(0, 4096, 0);
                data.store(8, MemorySegment.ofArray(bytes));
                byte[] back = new byte[1016];
                data.load(0, MemorySegment.ofArray(back));
                assertThat(Arrays.copyOfRange(back, 8, 1008)).isEqualTo(bytes);
                assertThat(data.load64(0)).isZero();
                assertThat(data.load64(1008)).as("nothing was stored beyond").isZero();
                assertThat(data.load64(8))
                        .as("the first byte is the lowest of its word")
                        .isEqualTo(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong());
            }
        }
    }

    @Test
    void bytesThatAreNoWordsOfTheBufferAreRefusedWithNothingStored() {
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a").memory(MIB, 512),
                        drive("b").memory(MIB, 512).cmb(CmbModel.of(MIB)))) {
            p.b.requireCmb().enable(p.fabric.dma());
            try (PeerBuffer data = p.b.requireCmb().allocate(4096, 4096)) {
                data.fill(0, 4096, 0);
                MemorySegment ones = MemorySegment.ofArray(new byte[4096]).fill((byte) -1);
                assertThatThrownBy(() -> data.store(8, ones))
                        .isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> data.store(4, ones.asSlice(0, 16)))
                        .hasMessage("16 bytes at offset 4 are not words of 8 bytes");
                assertThatThrownBy(() -> data.store(0, ones.asSlice(0, 12)))
                        .hasMessage("12 bytes at offset 0 are not words of 8 bytes");
                for (long at = 0; at < 4096; at += 8) {
                    assertThat(data.load64(at)).isZero();
                }
            }
        }
    }

    @Test
    void driveWithoutCmbSaysWhy() {
        try (EmulatedPair p =
                EmulatedPair.of(drive("a").memory(MIB, 512), drive("b").memory(MIB, 512))) {
            assertThat(p.a.cmb()).isEmpty();
            assertThatThrownBy(p.a::requireCmb).hasMessageContaining("CAP.CMBS 0");
        }
    }

    @Test
    void windowThatAnOwnerLeftBehindIsTakenDown() {
        FabricModel model =
                FabricModel.builder()
                        .time(FabricModel.Time.VIRTUAL)
                        .drive(drive("a").memory(MIB, 512).cmb(CmbModel.of(MIB)).build())
                        .build();
        try (EmulatedFabric fabric = new EmulatedFabric(model)) {
            try (PciDevice former = fabric.open("emu:a")) {
                Bar registers = former.bar(0);
                registers.store32(Reg.CMBMSC, 1);
                registers.store32(Reg.CMBMSC + 4, 0x12);
                registers.store32(Reg.CMBMSC, 0x3456_7003);
            }
            try (Controller next = Controller.open(fabric, "emu:a", ControllerOptions.DEFAULTS)) {
                assertThat(cmbmsc(next.cmbFields()).cmse()).isFalse();
                next.requireCmb().enable(fabric.dma());
                assertThat(cmbmsc(next.requireCmb().describe()).cmse()).isTrue();
            }
            assertThat(fabric.controller("a").violations()).isEmpty();
        }
    }

    private static Cmbmsc cmbmsc(List<CmbField> fields) {
        return new Cmbmsc(CmbField.raw(fields, "CMBMSC"));
    }
}
