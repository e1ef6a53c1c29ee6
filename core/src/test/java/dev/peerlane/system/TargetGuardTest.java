package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.guard.SparseImage;
import dev.peerlane.spec.NvmOpcode;
import java.io.IOException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A copy writes over nothing that a person may still need, unless it is allowed to. */
class TargetGuardTest {
    private static final int MIB = 1 << 20;
    private static final String EXT4 = "emu:b/n1 carries a file system (ext4, at byte 1080)";

    /** Drive {@code a} to read and {@code b} to write, in blocks of a length. */
    private static void with(int blockBytes, Consumer<EmulatedFabric> body) {
        FabricModel model =
                FabricModel.builder()
                        .drive(DriveModel.named("a").memory(16 * MIB, blockBytes).build())
                        .drive(
                                DriveModel.named("b")
                                        .memory(16 * MIB, blockBytes)
                                        .cmb(CmbModel.of(MIB))
                                        .build())
                        .time(FabricModel.Time.VIRTUAL)
                        .build();
        EmulatedFabric fabric = new EmulatedFabric(model);
        body.accept(fabric);
        assertThat(fabric.controller("a").violations()).isEmpty();
        assertThat(fabric.controller("b").violations()).isEmpty();
    }

    private static byte[] image(String name) {
        try {
            SparseImage image = SparseImage.kept(name);
            byte[] bytes = new byte[(int) image.sizeBytes()];
            image.read(0, bytes);
            return bytes;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void refused(EmulatedFabric fabric, Session session, String target, String why) {
        long written = fabric.controller("b").statistics().ioCommands(NvmOpcode.WRITE);
        assertThatThrownBy(() ->
                        session.plan(
                                Extent.parse("emu:a@0+64"),
                                Extent.parse(target),
                                CopyOptions.DEFAULTS))
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> {
                            assertThat(e).hasMessage(why);
                            assertThat(e.code()).isEqualTo("target-carries-data");
                            assertThat(e.category()).isEqualTo(PeerlaneException.Category.REFUSED);
                            assertThat(e.values()).containsEntry("target", "emu:b/n1");
                        });
        assertThat(fabric.controller("b").statistics().ioCommands(NvmOpcode.WRITE))
                .isEqualTo(written);
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096})
    void aTargetWithAFileSystemIsRefusedWhateverRangeIsNamed(int blockBytes) {
        with(
                blockBytes,
                fabric -> {
                    byte[] ext4 = image("ext4");
                    fabric.controller("b").medium(1, ext4);
                    try (Session session = Session.of(fabric)) {
                        refused(fabric, session, "emu:b", EXT4);
                        refused(fabric, session, "emu:b@3000", EXT4);
                        assertThat(fabric.controller("b").medium(1)).isEqualTo(ext4);
                    }
                });
    }

    @Test
    void allowedACopyGoesOverAFileSystem() {
        with(
                512,
                fabric -> {
                    fabric.controller("b").medium(1, image("ext4"));
                    try (Session session = Session.of(fabric)) {
                        Receipt receipt =
                                session.copy(
                                        Extent.parse("emu:a@0+64"),
                                        Extent.parse("emu:b"),
                                        CopyOptions.DEFAULTS.withOverwrite(true));
                        assertThat(receipt.bytesCopied()).isEqualTo(64 * 512);
                    }
                });
    }

    @Test
    void whatTheSourceCarriesIsNoReasonAndTheGuardsReadsAreNoDataOfTheCopy() {
        with(
                512,
                fabric -> {
                    byte[] ext4 = image("ext4");
                    fabric.controller("a").medium(1, ext4);
                    try (Session session = Session.of(fabric)) {
                        Receipt receipt =
                                session.copy(
                                        Extent.parse("emu:a"),
                                        Extent.parse("emu:b"),
                                        CopyOptions.DEFAULTS);
                        assertThat(receipt.hostDataBytes()).isEqualTo(0L);
                        assertThat(fabric.controller("b").medium(1)).isEqualTo(ext4);
                        refused(fabric, session, "emu:b", EXT4);
                    }
                });
    }

    @Test
    void aTargetThatCannotBeReadIsNotTakenForEmpty() {
        with(
                512,
                fabric -> {
                    fabric.arm(Fault.at(Fault.Kind.BAD_BLOCKS, "b").onIo(NvmOpcode.READ));
                    try (Session session = Session.of(fabric)) {
                        assertThatThrownBy(() ->
                                        session.plan(
                                                Extent.parse("emu:a@0+64"),
                                                Extent.parse("emu:b"),
                                                CopyOptions.DEFAULTS))
                                .isInstanceOfSatisfying(
                                        PeerlaneException.class,
                                        e -> {
                                            assertThat(e.code()).isEqualTo("target-not-read");
                                            assertThat(e)
                                                    .hasMessageStartingWith(
                                                            "what emu:b/n1 carries is not known: a"
                                                                    + " Read of 128 blocks from"
                                                                    + " block 0 on ended with ");
                                        });
                        fabric.repair();
                        assertThat(
                                        session.plan(
                                                        Extent.parse("emu:a@0+64"),
                                                        Extent.parse("emu:b"),
                                                        CopyOptions.DEFAULTS)
                                                .request()
                                                .bytes())
                                .isEqualTo(64 * 512);
                    }
                });
    }

    @Test
    void aTargetThatDoesNotAnswerIsGivenUp() {
        with(
                512,
                fabric -> {
                    fabric.arm(Fault.at(Fault.Kind.LOST_COMPLETION, "b").onIo(NvmOpcode.READ));
                    try (Session session = Session.of(fabric)) {
                        assertThatThrownBy(() -> session.checkCarriesNothing(Extent.parse("emu:b")))
                                .isInstanceOf(PeerlaneException.class)
                                .hasMessageContaining("no completion within the time");
                        session.checkCarriesNothing(Extent.parse("emu:b"));
                    }
                });
    }
}
