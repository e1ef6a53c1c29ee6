package dev.peerlane.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.UnixSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests servers that start at the same time in one folder. */
class SocketFileTest {
    @TempDir private Path folder;

    private static final class Waits extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static void nothing() {}

    private static void waits() {
        throw new Waits();
    }

    private static long connect(Path path) {
        try (UnixSocket client = UnixSocket.create()) {
            return client.connect(path.toString());
        }
    }

    private static void abandon(Path path) {
        try (UnixSocket killed = UnixSocket.create()) {
            assertThat(killed.bind(path.toString())).isZero();
        }
        assertThat(connect(path)).isEqualTo(-Errno.ECONNREFUSED);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aServerThatStartsDuringAnothersStartWaitsAndLeavesItTheSocket(boolean abandoned) {
        Path path = folder.resolve("a.sock");
        if (abandoned) {
            abandon(path);
        }
        Runnable second =
                () ->
                        assertThatThrownBy(() ->
                                        SocketFile.listen(
                                                path,
                                                SocketFileTest::nothing,
                                                SocketFileTest::waits))
                                .isInstanceOf(Waits.class);
        try (SocketFile first = SocketFile.listen(path, second, SocketFileTest::waits)) {
            assertThat(first.isThere()).isTrue();
            assertThat(connect(path)).isZero();
            assertThatThrownBy(() -> SocketFile.listen(path))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("another server listens there");
            assertThat(connect(path)).isZero();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aServerThatWaitedForAFailedStartGetsTheSocket() {
        Path path = folder.resolve("a.sock");
        Runnable fails =
                () -> {
                    throw new IllegalStateException("no room");
                };
        assertThatThrownBy(() -> SocketFile.listen(path, fails, SocketFileTest::waits))
                .hasMessage("no room");
        try (SocketFile second =
                SocketFile.listen(path, SocketFileTest::nothing, SocketFileTest::waits)) {
            assertThat(connect(second.path())).isZero();
        }
    }

    /** A process that can connect can read and write the drive. */
    @Test
    void onlyTheOwnerCanConnect() throws IOException {
        try (SocketFile socket = SocketFile.listen(folder.resolve("a.sock"))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.path())))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void aFolderThatStaysLockedIsAnErrorThatNamesItAndCreatesNothing() {
        Path path = folder.resolve("a.sock");
        Runnable second =
                () ->
                        assertThatThrownBy(() ->
                                        SocketFile.listen(
                                                folder.resolve("b.sock"),
                                                SocketFileTest::nothing,
                                                SocketFileTest::nothing))
                                .isInstanceOf(PeerlaneException.class)
                                .hasMessageContaining(folder + ": flock failed with EAGAIN");
        try (SocketFile first = SocketFile.listen(path, second, SocketFileTest::nothing)) {
            assertThat(folder).isDirectoryContaining(file -> file.equals(first.path()));
            assertThat(folder.resolve("b.sock")).doesNotExist();
        }
    }
}
