package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PortModel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What bounds a copy through a CMB of a few chunks: a slot is taken for its Read, the sentinel's
 * Read and its Write, one after the other, so slots times chunk is all that goes through in three
 * latencies; in two without a sentinel. Time is virtual, so every figure repeats exactly.
 */
class FewSlotsTest {
    private static final long RATE = 400_000_000;
    private static final long LATENCY_NANOS = 80_000;

    private static Receipt copy(int cmbKib, FenceChoice fence) {
        FabricModel.Builder model = FabricModel.builder().seed(5).time(FabricModel.Time.VIRTUAL);
        for (String name : new String[] {"a", "b"}) {
            model.drive(
                    DriveModel.named(name)
                            .memory(8 << 20, 512)
                            .bytesPerSecond(RATE)
                            .latencyNanos(LATENCY_NANOS)
                            .cmb(CmbModel.of(cmbKib << 10))
                            .build());
        }
        model.port(PortModel.switchOf(PortModel.drive("a"), PortModel.drive("b")));
        CopyOptions options =
                CopyOptions.DEFAULTS
                        .withBuffer(BufferChoice.TARGET)
                        .withFence(fence)
                        .withVerify(VerifyMode.NONE)
                        .withWipe(false)
                        .withOverwrite(true)
                        .withSeed(3);
        try (Session session = Session.of(new EmulatedFabric(model.build()))) {
            return session.copy(Extent.of("emu:a"), Extent.of("emu:b"), options);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "16, SENTINEL, 3",
        "32, SENTINEL, 3",
        "64, SENTINEL, 3",
        "16, CANARY, 2",
        "32, CANARY, 2"
    })
    void theirLatenciesBoundTheRateAndTheCopyComesNearIt(
            int cmbKib, FenceChoice fence, int latencies) {
        Receipt receipt = copy(cmbKib, fence);
        double bound =
                (double) receipt.slots() * receipt.chunkBytes() / (latencies * LATENCY_NANOS) * 1e9;
        assertThat(receipt.bytesPerSecond())
                .as("%d slots of %d bytes", receipt.slots(), receipt.chunkBytes())
                .isBetween(0.78 * bound, bound);
    }
}
