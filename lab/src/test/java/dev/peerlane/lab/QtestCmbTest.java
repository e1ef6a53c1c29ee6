package dev.peerlane.lab;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.qtest.QtestFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests registers and CMB of QEMU's controller through its BARs. */
@Tag("qemu")
class QtestCmbTest {
    private static final ValueLayout.OfInt LE_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int CAP = 0x00;
    private static final int VS = 0x08;
    private static final int CMBLOC = 0x38;
    private static final int CMBSZ = 0x3c;
    private static final int CMBMSC = 0x50;

    private static Qemu qemu;
    private static QtestFabric fabric;
    private static PciDevice device;
    private static Bar registers;
    private static Bar cmb;
    private static int sizeBeforeEnabling;
    private static int locationBeforeEnabling;

    @BeforeAll
    static void start() {
        qemu = Qemu.machine().drive(Drive.named("ssd0").cmbMib(64)).start();
        fabric = qemu.attach();
        device = fabric.open(fabric.locators().getFirst());
        registers = device.bar(0);
        cmb = device.bar(2);
        sizeBeforeEnabling = registers.load32(CMBSZ);
        locationBeforeEnabling = registers.load32(CMBLOC);
        // high half first: the low half enables the CMB, and QEMU latches the address then
        registers.store32(CMBMSC + 4, (int) (cmb.pciAddress() >>> 32));
        registers.store32(CMBMSC, (int) cmb.pciAddress() | 3);
    }

    @AfterAll
    static void stop() {
        fabric.close();
        qemu.close();
    }

    @Test
    void registersReadAsQemuDefinesThem() {
        assertThat(registers.load32(VS)).isEqualTo(0x0001_0400);
        assertThat(registers.load32(CAP) & 0xffff).isEqualTo(2047);
        assertThat(registers.load32(CAP + 4) >>> 25 & 1).as("CAP.CMBS").isOne();
        assertThat(registers.load64(CAP))
                .isEqualTo(
                        Integer.toUnsignedLong(registers.load32(CAP))
                                | (long) registers.load32(CAP + 4) << 32);
    }

    @Test
    void cmbRegistersAreZeroUntilEnabledByTwoAccessesOfFourBytes() {
        assertThat(locationBeforeEnabling).isZero();
        assertThat(sizeBeforeEnabling).isZero();
        assertThat(registers.load32(CMBLOC)).isEqualTo(0x62);
        assertThat(registers.load32(CMBSZ)).isEqualTo(0x4021d);
        assertThat(cmb.sizeBytes()).isEqualTo(64L << 20);
        assertThat(cmb.index()).isEqualTo(2);
    }

    @Test
    void wordsOfTheCmbKeepTheirValue() {
        long end = cmb.sizeBytes();
        cmb.store64(0, 0x0123_4567_89ab_cdefL);
        cmb.store32(end - 4, 0xdead_beef);
        assertThat(cmb.load64(0)).isEqualTo(0x0123_4567_89ab_cdefL);
        assertThat(cmb.load32(0)).isEqualTo(0x89ab_cdef);
        assertThat(cmb.load32(4)).isEqualTo(0x0123_4567);
        assertThat(cmb.load32(end - 4)).isEqualTo(0xdead_beef);
    }

    @Test
    void bulkAgreesWithSingleAccesses() {
        long seed = 0x5eed_0001L;
        Random random = new Random(seed);
        byte[] data = new byte[(48 << 10) + 4100]; // more than fits in one message
        random.nextBytes(data);
        long offset = (1 << 20) + 4;
        cmb.fill(offset - 4, 4, 0x11223344);
        cmb.fill(offset + data.length, 4, 0x55667788);
        cmb.store(offset, MemorySegment.ofArray(data));
        for (int i = 0; i < data.length; i += 4) {
            int expected = MemorySegment.ofArray(data).get(LE_INT, i);
            if (i % 1000 == 0 || i >= data.length - 8 || i < 8) {
                assertThat(cmb.load32(offset + i))
                        .as("seed %x, at %d", seed, i)
                        .isEqualTo(expected);
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment back = arena.allocate(data.length + 8);
            cmb.load(offset - 4, back);
            assertThat(back.get(LE_INT, 0)).isEqualTo(0x11223344);
            assertThat(back.asSlice(4, data.length).toArray(JAVA_BYTE)).isEqualTo(data);
            assertThat(back.get(LE_INT, data.length + 4L)).isEqualTo(0x55667788);
        }
    }

    @Test
    void fillRepeatsAWordAndStopsAtItsEnd() {
        long offset = 2 << 20;
        cmb.fill(offset, 64, 0);
        cmb.fill(offset + 4, 40, 0x01020304);
        assertThat(cmb.load32(offset)).isZero();
        for (int i = 4; i < 44; i += 4) {
            assertThat(cmb.load32(offset + i)).isEqualTo(0x01020304);
        }
        assertThat(cmb.load32(offset + 44)).isZero();
        cmb.fill(offset + 64, 100_004, 0x1020_3040);
        assertThat(cmb.load32(offset + 64 + 32768)).isEqualTo(0x1020_3040);
        assertThat(cmb.load32(offset + 64 + 100_000)).isEqualTo(0x1020_3040);
        assertThat(cmb.load32(offset + 64 + 100_004)).isZero();
        cmb.fill(offset + 4, 40, 0x7f7f7f7f);
        assertThat(cmb.load64(offset)).isEqualTo(0x7f7f7f7f_0000_0000L);
        assertThat(cmb.load64(offset + 40)).isEqualTo(0x7f7f7f7fL);
    }

    @Test
    void cmbStaysEnabledAcrossAFunctionLevelReset() {
        cmb.store64(64, 0x1122_3344_5566_7788L);
        device.reset();
        assertThat(registers.load32(CMBMSC) & 3).isEqualTo(3);
        assertThat(cmb.load64(64)).isEqualTo(0x1122_3344_5566_7788L);
    }

    @Test
    void accessesOutsideTheWindowOrAcrossTheirWidthAreRefused() {
        long end = cmb.sizeBytes();
        assertThatThrownBy(() -> cmb.load32(end)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> cmb.load64(end - 4)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> cmb.fill(end - 4, 8, 0))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> cmb.store64(4, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> cmb.load32(2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> cmb.store(0, MemorySegment.ofArray(new byte[6])))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> device.bar(1)).hasMessageContaining("no memory BAR 1");
    }

    @Test
    void manyDoorbellsAreWrittenWithoutWaitingAndAllArrive() {
        // AQA replaces a doorbell because it can be read back
        var aqa = registers.doorbell(0x24);
        for (int i = 0; i < 1000; i++) {
            aqa.ring(i);
        }
        assertThat(registers.load32(0x24)).isEqualTo(999);
        fabric.clock().turn();
    }
}
