package dev.peerlane.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.spec.NvmOpcode;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Tests when a load releases its memory after an error. */
class LoadQuarantineTest {
    private static final int BYTES = 256 << 10;
    private static final long MILLI = 1_000_000L;
    private static final Extent A = new Extent("emu:a", 1, null, null);

    private static DriveModel.Builder drive(String name) {
        return DriveModel.named(name).memory(BYTES, 512).cmb(CmbModel.of(128 << 10));
    }

    private static FabricModel.Builder virtual() {
        return FabricModel.builder().time(FabricModel.Time.VIRTUAL).seed(11);
    }

    private static byte[] random(long seed) {
        byte[] bytes = new byte[BYTES];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    /**
     * Checks for half a second that released memory, which may belong to someone else, does not
     * change.
     */
    private static void staysAsItIs(ControllerMemoryBuffer cmb, EmulatedFabric fabric) {
        try (PeerBuffer mine = cmb.mapWhole()) {
            mine.fill(0, mine.sizeBytes(), 0x5a5a_5a5a);
            long until = fabric.clock().nanoTime() + 500 * MILLI;
            fabric.clock().await(() -> fabric.clock().nanoTime() > until, 1_000 * MILLI);
            for (long at = 0; at < mine.sizeBytes(); at += Long.BYTES) {
                assertThat(mine.load64(at)).isEqualTo(0x5a5a_5a5a_5a5a_5a5aL);
            }
        }
    }

    @Test
    void aLoadWhoseReadFailedReleasesItsMemoryOnlyOnceNothingCanWriteIt() {
        Fault late =
                Fault.at(Fault.Kind.LATE_DATA, "a")
                        .onIo(NvmOpcode.READ)
                        .withOccasion(7)
                        .withNanos(300 * MILLI);
        FabricModel model =
                virtual().drive(drive("a").build()).drive(drive("b").build()).fault(late).build();
        EmulatedFabric fabric = new EmulatedFabric(model);
        fabric.controller("a").medium(1, random(1));
        try (Session session = Session.of(fabric)) {
            ControllerMemoryBuffer cmb = session.controller("emu:b").requireCmb();
            cmb.enable(fabric.dma());
            Load load = new Load(Load.Command.READ, 4096, 4, 0, 512, MILLI, 100 * MILLI, 5);
            try (BlockPort port = session.namespace(A).port(4)) {
                LoadResult result =
                        LoadRun.run(
                                load, port, cmb, fabric.dma(), fabric.clock(), new CancelFlag());
                assertThat(result.voidReason()).contains("a Read ended with");
                staysAsItIs(cmb, fabric);
            }
        }
    }
}
