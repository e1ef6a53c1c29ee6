package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.parts.ForwardingFabric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests what a killed run leaves in a CMB, and how the next run cleans it up. */
class LeftoversTest {
    private static final long WORD = 0x5ec2_e75e_c2e7L;

    @TempDir private Path state;
    private final EmulatedFabric fabric = new EmulatedFabric(FabricModel.standard());

    @AfterEach
    void close() {
        fabric.close();
    }

    private Session session() {
        return Session.of(
                new ForwardingFabric(fabric) {
                    @Override
                    public FabricTraits traits() {
                        return new FabricTraits(state, null);
                    }
                });
    }

    private Path record() {
        return state.resolve("cmb/0000:03:00.0");
    }

    private ControllerMemoryBuffer enabled(Session session) {
        ControllerMemoryBuffer cmb = session.controller("emu:ssd0").requireCmb();
        cmb.enable(fabric.dma());
        return cmb;
    }

    /** Puts data into the CMB and a record next to it, as a killed process would leave them. */
    private void leave(String serial) throws IOException {
        try (PciDevice device = fabric.open("emu:ssd0")) {
            try (Controller controller =
                    Controller.open(
                            device, fabric.dma(), fabric.clock(), ControllerOptions.DEFAULTS)) {
                controller.requireCmb().enable(fabric.dma());
                PeerBuffer piece = controller.requireCmb().allocate(8192, 4096);
                piece.store64(0, WORD);
                piece.store64(8184, WORD);
                piece.wipeOnClose(false);
                piece.close();
            }
        }
        Files.createDirectories(record().getParent());
        Files.writeString(record(), serial + "\n0 2000\n");
    }

    private long[] words(ControllerMemoryBuffer cmb) {
        try (PeerBuffer all = cmb.mapWhole()) {
            all.wipeOnClose(false);
            return new long[] {all.load64(0), all.load64(8184)};
        }
    }

    @Test
    void buffersInUseAreRecordedUntilTheyAreFreed() throws IOException {
        Session session = session();
        PeerBuffer piece = enabled(session).allocate(4096, 4096);
        assertThat(Files.readString(record())).isEqualTo("EMU-ssd0\n0 1000\n");
        piece.close();
        assertThat(record()).doesNotExist();
        session.close();
    }

    @Test
    void theNextRunOverwritesWhatAKilledOneLeft() throws IOException {
        leave("EMU-ssd0");
        Session session = session();
        session.controller("emu:ssd0");
        assertThat(record()).doesNotExist();
        assertThat(words(enabled(session))).containsExactly(0, 0);
        session.close();
    }

    /** Guards the test above: without a record, the words are still there. */
    @Test
    void aRecordOfAnotherDriveIsDiscardedAndNothingIsOverwritten() throws IOException {
        leave("ANOTHER");
        Session session = session();
        session.controller("emu:ssd0");
        assertThat(record()).doesNotExist();
        assertThat(words(enabled(session))).containsExactly(WORD, WORD);
        session.close();
    }

    @Test
    void anInvalidRecordHarmsNothing() throws IOException {
        leave("EMU-ssd0");
        Files.writeString(record(), "EMU-ssd0\nffffffffffffffff ffffffffffffffff\nx\n0 2000\n");
        Session session = session();
        session.controller("emu:ssd0");
        assertThat(words(enabled(session))).containsExactly(0, 0);
        session.close();
    }

    /** Otherwise the data would stay in the CMB without any record of it. */
    @Test
    void aRecordStaysUntilItsRangesAreOverwritten() throws IOException {
        leave("EMU-ssd0");
        fabric.arm(Fault.at(Fault.Kind.CBAI, "ssd0"));
        Session stopped = session();
        assertThatThrownBy(() -> stopped.controller("emu:ssd0"))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("refuses the CMB address");
        assertThat(Files.readString(record())).isEqualTo("EMU-ssd0\n0 2000\n");
        stopped.close();
    }

    @Test
    void withoutAPlaceForTheRecordTheDeviceIsNotOpened() throws IOException {
        Files.writeString(state.resolve("cmb"), "in the way");
        Session session = session();
        assertThatThrownBy(() -> session.controller("emu:ssd0"))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("0000:03:00.0");
        session.close();
    }
}
