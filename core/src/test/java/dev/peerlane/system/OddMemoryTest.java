package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that is free but begins at no page. */
class OddMemoryTest {
    private static final int KIB = 1 << 10;

    private static FabricModel model() {
        FabricModel.Builder model = FabricModel.builder().time(FabricModel.Time.VIRTUAL);
        for (String name : new String[] {"a", "b"}) {
            model.drive(
                    DriveModel.named(name)
                            .memory(256 * KIB, 512)
                            .cmb(CmbModel.of(64 * KIB))
                            .build());
        }
        return model.build();
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 46 * KIB + 512, 62 * KIB + 64})
    void aCopyTakesWhatFitsBehindABufferOfOddLength(int taken) {
        try (Session session = Session.of(new EmulatedFabric(model()))) {
            ControllerMemoryBuffer cmb = session.controller("emu:b").requireCmb();
            if (!cmb.isEnabled()) {
                cmb.enable(session.fabric().dma());
            }
            try (PeerBuffer other = cmb.allocate(taken, 4)) {
                assertThat(cmb.largestFreeBytes(4096)).isLessThan(cmb.largestFreeBytes());
                Receipt receipt =
                        session.copy(
                                Extent.of("emu:a"),
                                Extent.of("emu:b"),
                                CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET).withSeed(1));
                assertThat(receipt.bytesCopied()).isEqualTo(256 * KIB);
                other.fill(0, taken, 1);
            }
        }
    }
}
