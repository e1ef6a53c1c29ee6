package dev.peerlane.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that a served drive is also at NAME/cntrl, and that no file of the user is deleted for it.
 */
class ControlLinkTest {
    private static final FabricModel SPEC =
            FabricModel.builder().drive(DriveModel.named("a").memory(1 << 20, 512).build()).build();

    @TempDir private Path folder;
    private Path drive;
    private Path link;

    @BeforeEach
    void paths() {
        drive = folder.resolve("a");
        link = drive.resolve("cntrl");
    }

    private Server open() {
        return Server.open(SPEC, folder, note -> {});
    }

    private void assertRefused(String... parts) {
        PeerlaneException e = catchThrowableOfType(PeerlaneException.class, () -> open().close());
        assertThat(e.code()).isEqualTo("socket-not-made");
        assertThat(e.getMessage()).contains(parts);
        assertThat(e.remedy()).contains("Choose another folder");
        assertThat(folder.resolve("a.sock")).doesNotExist();
    }

    @Test
    void theFolderOfADriveLeadsToIt() throws IOException {
        try (Server server = open()) {
            assertThat(Files.getPosixFilePermissions(drive))
                    .isEqualTo(PosixFilePermissions.fromString("rwx------"));
            Clock clock =
                    new Clock() {
                        @Override
                        public long nanoTime() {
                            return System.nanoTime();
                        }

                        @Override
                        public void turn() {
                            server.turn();
                        }
                    };
            try (VfioUserFabric fabric =
                            VfioUserFabric.open(List.of(drive), clock, 5_000_000_000L);
                    PciDevice device = fabric.open(fabric.locators().getFirst())) {
                assertThat(device.bar(0).load32(8)).isEqualTo(0x0001_0400);
            }
        }
        assertThat(drive).doesNotExist();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void whatAKilledServerLeftBehindIsReplaced() throws IOException {
        Files.createDirectory(drive);
        Files.createSymbolicLink(link, Path.of("../a.sock"));
        open().close();
        assertThat(folder).isEmptyDirectory();
        // a socket that nobody listens to, as SPDK's target leaves it
        Files.createDirectory(drive);
        try (UnixSocket dead = UnixSocket.create()) {
            assertThat(dead.bind(link.toString())).isZero();
        }
        open().close();
        assertThat(drive).isEmptyDirectory();
    }

    @Test
    void aFolderOfTheUserStaysWithItsFiles() throws IOException {
        Files.createDirectory(drive);
        open().close();
        assertThat(drive).isEmptyDirectory();
        Files.writeString(drive.resolve("notes"), "mine");
        Files.createSymbolicLink(link, Path.of("../a.sock"));
        try (Server server = open()) {
            assertThat(link.toRealPath()).isEqualTo(server.sockets().getFirst().toRealPath());
        }
        assertThat(drive.resolve("notes")).hasContent("mine");
        assertThat(Files.exists(link, LinkOption.NOFOLLOW_LINKS)).isFalse();
    }

    @Test
    void aFolderInWhichTheUserPutAFileStays() throws IOException {
        try (Server server = open()) {
            assertThat(server.clients()).isZero();
            Files.writeString(drive.resolve("notes"), "mine");
        }
        assertThat(drive.resolve("notes")).hasContent("mine");
        assertThat(Files.exists(link, LinkOption.NOFOLLOW_LINKS)).isFalse();
    }

    @Test
    void filesOfTheUserAreRefusedAndStay() throws IOException {
        Files.writeString(drive, "mine");
        assertRefused(drive.toString(), "is not a folder");
        assertThat(drive).hasContent("mine");
        Files.delete(drive);
        Files.createDirectory(drive);
        Files.writeString(link, "mine");
        assertRefused(link.toString(), "is not a socket");
        assertThat(link).hasContent("mine");
        Files.delete(link);
        Files.createSymbolicLink(link, Path.of("elsewhere"));
        assertRefused(link.toString(), "is not a socket");
        assertThat(Files.readSymbolicLink(link)).hasToString("elsewhere");
        Files.delete(link);
        try (UnixSocket other = UnixSocket.create()) {
            assertThat(other.bind(link.toString())).isZero();
            assertThat(other.listen(1)).isZero();
            assertRefused(link.toString(), "another server listens there");
            assertThat(Files.exists(link)).isTrue();
        }
    }

    @Test
    void theLinkOfASuccessorStays() throws IOException {
        Server first = open();
        Files.delete(folder.resolve("a.sock"));
        try (Server second = open()) {
            first.close();
            assertThat(link.toRealPath()).isEqualTo(second.sockets().getFirst().toRealPath());
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void theLinkToASocketThatTheUserDeletedIsRemoved() throws IOException {
        Server server = open();
        Files.delete(folder.resolve("a.sock"));
        server.close();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void servedDrivesMoveDataInRunsUnlessTheDescriptionSaysOtherwise() {
        try (Server server = open()) {
            assertThat(server.transfersText()).contains("transfers: runs");
        }
        FabricModel pieces =
                FabricModel.builder()
                        .drive(SPEC.drives().getFirst())
                        .transfers(FabricModel.Transfers.PIECES)
                        .build();
        try (Server server = Server.open(pieces, folder, note -> {})) {
            assertThat(server.transfersText()).contains("transfers: pieces");
        }
    }
}
