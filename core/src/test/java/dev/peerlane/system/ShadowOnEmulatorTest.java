package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.NvmeBlockPort;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver's shadow doorbells on an emulated controller, across rests, resets and new queues. */
class ShadowOnEmulatorTest {
    private static final int DEPTH = 20;
    private static final int ROUNDS = 300;
    private static final int IDLE_TURNS = 100;

    /** Reads in rounds with pauses, and returns how many register writes that took. */
    private static long registerWrites(ControllerOptions options, boolean pauses, int stride) {
        DriveModel drive =
                DriveModel.named("a")
                        .memory(1 << 20, 512)
                        .doorbellBuffer(true)
                        .doorbellStride(stride)
                        .latencyNanos(20_000)
                        .cmb(CmbModel.of(1 << 20))
                        .build();
        FabricModel model =
                FabricModel.builder().drive(drive).time(FabricModel.Time.VIRTUAL).build();
        SplittableRandom random = new SplittableRandom(7);
        try (EmulatedFabric fabric = new EmulatedFabric(model);
                Controller c = Controller.open(fabric, "emu:a", options)) {
            c.requireCmb().enable(fabric.dma());
            long writes = 0;
            for (int life = 0; life < 3; life++) {
                try (NvmeBlockPort port = c.namespace(1).port(DEPTH);
                        PeerBuffer slots = c.requireCmb().allocate(DEPTH * 4096, 4096)) {
                    port.attach(slots, 0, 4096, 4096, DEPTH);
                    long before = fabric.controller("a").statistics().doorbells();
                    for (int round = 0; round < ROUNDS; round++) {
                        int n = 1 + random.nextInt(DEPTH);
                        for (int slot = 0; slot < n; slot++) {
                            assertThat(port.submitRead(slot, random.nextInt(2000), 8)).isTrue();
                        }
                        drain(fabric, port, n);
                        for (int i = 0; pauses && i < random.nextInt(IDLE_TURNS); i++) {
                            fabric.clock().turn();
                        }
                    }
                    writes += fabric.controller("a").statistics().doorbells() - before;
                }
                if (life == 1) {
                    c.reset();
                }
            }
            assertThat(fabric.controller("a").violations()).isEmpty();
            return writes;
        }
    }

    private static void drain(EmulatedFabric fabric, NvmeBlockPort port, int commands) {
        EmulatedPair.Taken taken = new EmulatedPair.Taken();
        port.ring();
        assertThat(
                        fabric.clock()
                                .await(
                                        () -> {
                                            port.poll(4, taken);
                                            return port.inFlight() == 0;
                                        },
                                        1_000_000_000L))
                .as("drained")
                .isTrue();
        assertThat(taken.statuses).hasSize(commands).containsOnly(0);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3})
    void registersAreWrittenRarelyWhileThereIsWork(int stride) {
        long with = registerWrites(ControllerOptions.DEFAULTS, false, stride);
        long without =
                registerWrites(
                        ControllerOptions.DEFAULTS.withShadowDoorbells(false), false, stride);
        assertThat(without).isGreaterThan(3 * 2 * ROUNDS);
        // once a turn of the ring, when it passes the EventIdx of long ago
        assertThat(with).isLessThan(without / 5);
    }

    @Test
    void aControllerAtRestIsWoken() {
        assertThat(registerWrites(ControllerOptions.DEFAULTS, true, 0)).isGreaterThan(ROUNDS);
    }
}
