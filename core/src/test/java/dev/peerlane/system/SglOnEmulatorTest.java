package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The driver's SGLs on controllers that take them, and its PRP lists on all others. */
class SglOnEmulatorTest {
    private static final long MIB = 1 << 20;
    private static final int SLOT = 128 << 10;

    /**
     * Reads the first blocks into the CMB from offset 4 on, in a long and a short transfer, writes
     * them back elsewhere, and returns the bytes of PRP lists and SGL segments that were read.
     */
    private static long listBytes(DriveModel.Sgls sgls, ControllerOptions options) {
        DriveModel drive =
                DriveModel.named("a").memory(MIB, 512).sgls(sgls).cmb(CmbModel.of(MIB)).build();
        FabricModel model =
                FabricModel.builder().drive(drive).time(FabricModel.Time.VIRTUAL).build();
        byte[] content = new byte[(int) MIB];
        new Random(4).nextBytes(content);
        try (EmulatedFabric fabric = new EmulatedFabric(model);
                Controller c = Controller.open(fabric, "emu:a", options)) {
            fabric.controller("a").medium(1, content);
            c.requireCmb().enable(fabric.dma());
            Namespace ns = c.namespace(1);
            long before = fabric.traffic().orElseThrow().total().hostPrpLists();
            try (NvmeBlockPort port = ns.port(4);
                    PeerBuffer slots = c.requireCmb().allocate(3 * SLOT, 4096)) {
                port.attach(slots, 4, SLOT, SLOT, 2);
                assertThat(port.submitRead(0, 0, SLOT / 512)).isTrue();
                assertThat(port.submitRead(1, SLOT / 512, 40)).isTrue();
                assertThat(drain(fabric, port)).containsOnly(0);
                assertThat(port.submitWrite(0, 1024, SLOT / 512)).isTrue();
                assertThat(port.submitWrite(1, 1024 + SLOT / 512, 40)).isTrue();
                assertThat(drain(fabric, port)).containsOnly(0);
            }
            byte[] medium = fabric.controller("a").medium(1);
            int moved = SLOT + 40 * 512;
            assertThat(Arrays.copyOfRange(medium, 1024 * 512, 1024 * 512 + moved))
                    .isEqualTo(Arrays.copyOf(content, moved));
            assertThat(fabric.controller("a").violations()).isEmpty();
            return fabric.traffic().orElseThrow().total().hostPrpLists() - before;
        }
    }

    private static List<Integer> drain(EmulatedFabric fabric, NvmeBlockPort port) {
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
                .isTrue();
        assertThat(taken.slots).hasSize(2);
        return taken.statuses;
    }

    @ParameterizedTest
    @CsvSource({"BYTES", "DWORDS"})
    void longTransfersNeedNoList(DriveModel.Sgls sgls) {
        assertThat(listBytes(sgls, ControllerOptions.DEFAULTS)).isZero();
    }

    @Test
    void withoutSupportOrWhenToldSoThereAreLists() {
        long lists = 2 * 8 * (SLOT / 4096 + 40 * 512 / 4096);
        assertThat(listBytes(DriveModel.Sgls.NONE, ControllerOptions.DEFAULTS)).isEqualTo(lists);
        ControllerOptions none = ControllerOptions.DEFAULTS.withSgls(false);
        assertThat(listBytes(DriveModel.Sgls.BYTES, none)).isEqualTo(lists);
    }
}
