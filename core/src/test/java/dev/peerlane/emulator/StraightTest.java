package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.enableCmb;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.hal.TrafficCounters.Traffic;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Tests that data that goes directly between a medium and the drive's own CMB, without a buffer, as
 * in real time, gives the same result as data that takes its time.
 */
class StraightTest {
    private static final long CBA = 0x7000_0000L;
    private static final int BLOCK = 512;

    private static final class Outcome {
        private final List<String> moves;
        private final Traffic traffic;
        private final byte[] medium;
        private final byte[] cmb;

        Outcome(List<String> moves, Traffic traffic, byte[] medium, byte[] cmb) {
            this.moves = moves;
            this.traffic = traffic;
            this.medium = medium;
            this.cmb = cmb;
        }
    }

    private static byte[] random(int bytes, long seed) {
        byte[] all = new byte[bytes];
        TestFabrics.randomize(MemorySegment.ofArray(all), seed);
        return all;
    }

    private static EmulatedFabric fabric(FabricModel.Time time) {
        return new EmulatedFabric(
                FabricModel.builder().time(time).drive(drive("a").build()).build());
    }

    private static Outcome run(FabricModel.Time time) {
        try (EmulatedFabric fabric = fabric(time);
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            EmulatedController controller = fabric.controller("a");
            controller.medium(1, random(64 * BLOCK, 1));
            enableCmb(driver, CBA);
            Queue queue = driver.ioQueue(1, 8);
            Moves moves = new Moves();
            fabric.watch(moves);
            assertThat(queue.io(NvmOpcode.READ, 3, 8, CBA + 0x3000, 0).status()).isZero();
            assertThat(queue.io(NvmOpcode.READ, 9, 1, CBA + 0x5104, 0).status()).isZero();
            assertThat(queue.io(NvmOpcode.WRITE, 40, 7, CBA + 0x3000, 0).status()).isZero();
            assertThat(queue.io(NvmOpcode.WRITE, 50, 1, CBA + 0x5104, 0).status()).isZero();
            fabric.watch(null);
            return new Outcome(
                    moves.seen,
                    fabric.traffic().orElseThrow().total(),
                    Arrays.copyOf(controller.medium(1), 64 * BLOCK),
                    controller.cmbBytes());
        }
    }

    @Test
    void bytesAndCountsAreThoseOfDataThatTakesItsTime() {
        Outcome real = run(FabricModel.Time.REAL);
        Outcome virtual = run(FabricModel.Time.VIRTUAL);
        assertThat(real.moves)
                .isEqualTo(virtual.moves)
                .containsExactly(
                        "70003000+4096 written",
                        "70005104+512 written",
                        "70003000+3584 read",
                        "70005104+512 read");
        assertThat(real.traffic).isEqualTo(virtual.traffic);
        byte[] cmb = new byte[real.cmb.length];
        byte[] medium = random(64 * BLOCK, 1);
        System.arraycopy(medium, 3 * BLOCK, cmb, 0x3000, 8 * BLOCK);
        System.arraycopy(medium, 9 * BLOCK, cmb, 0x5104, BLOCK);
        System.arraycopy(medium, 3 * BLOCK, medium, 40 * BLOCK, 7 * BLOCK);
        System.arraycopy(medium, 9 * BLOCK, medium, 50 * BLOCK, BLOCK);
        assertThat(real.cmb).isEqualTo(cmb).isEqualTo(virtual.cmb);
        assertThat(real.medium).isEqualTo(medium).isEqualTo(virtual.medium);
    }

    @Test
    void plannedFaultsHappenToCommands() {
        try (EmulatedFabric fabric = fabric(FabricModel.Time.REAL);
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            EmulatedController controller = fabric.controller("a");
            controller.medium(1, random(64 * BLOCK, 1));
            enableCmb(driver, CBA);
            Queue queue = driver.ioQueue(1, 8);
            fabric.arm(Fault.at(Fault.Kind.WRONG_DATA, "a").onIo(NvmOpcode.READ));
            assertThat(queue.io(NvmOpcode.READ, 0, 1, CBA, 0).status()).isZero();
            byte[] wrong = Arrays.copyOf(controller.cmbBytes(), BLOCK);
            byte[] right = Arrays.copyOf(controller.medium(1), BLOCK);
            assertThat(Arrays.mismatch(wrong, right)).isZero();
            right[0] ^= 1;
            assertThat(wrong).isEqualTo(right);
        }
    }

    @Test
    void theRulesOfTheCmbHold() {
        DriveModel.Builder drive =
                drive("a").cmb(CmbModel.of(TestFabrics.MIB).withSupport(CmbModel.WDS));
        try (EmulatedFabric fabric =
                        new EmulatedFabric(FabricModel.builder().drive(drive.build()).build());
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            enableCmb(driver, CBA);
            Queue queue = driver.ioQueue(1, 8);
            Completion read = queue.io(NvmOpcode.READ, 0, 1, CBA, 0);
            assertThat(read.code()).isEqualTo(Status.INVALID_CMB_USE);
            assertThat(queue.io(NvmOpcode.WRITE, 0, 1, CBA, 0).status()).isZero();
            Completion late = queue.io(NvmOpcode.WRITE, 1L << 40, 1, CBA, 0);
            assertThat(late.code()).isEqualTo(Status.LBA_OUT_OF_RANGE);
        }
    }
}
