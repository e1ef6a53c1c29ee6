package dev.peerlane.serve;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.FolderLock;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.UnixSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A socket in the file system that is listened to, for its owner only, and its file. */
final class SocketFile implements AutoCloseable {
    private static final int BACKLOG = 8;
    private static final int S_IFMT = 0xf000;
    private static final int S_IFSOCK = 0xc000;
    private static final int WAIT_MILLIS = 1;
    private static final String REMEDY =
            "Choose a folder that exists, that is yours, and whose path is short";

    private final Path path;
    private final UnixSocket listener;
    private final @Nullable Object inode;

    private SocketFile(Path path, UnixSocket listener) {
        this.path = path;
        this.listener = listener;
        this.inode = socketAt(path);
    }

    /**
     * Makes one. A socket that nobody listens to is replaced.
     *
     * @throws PeerlaneException if it can't be made, or something else has that name, which stays
     */
    static SocketFile listen(Path path) {
        return listen(path, () -> {}, () -> UnixSocket.await(new int[0], WAIT_MILLIS));
    }

    /**
     * As {@link #listen(Path)}. A socket that is not listened to yet looks like an abandoned one,
     * so whoever makes or replaces one holds the folder meanwhile.
     *
     * @param bound is run when the socket is there and not yet listened to
     * @param wait waits a little for who holds the folder
     */
    static SocketFile listen(Path path, Runnable bound, Runnable wait) {
        Path folder = Objects.requireNonNull(path.toAbsolutePath().getParent());
        try (FolderLock _ = FolderLock.take(folder.toString(), "socket-not-made", REMEDY, wait)) {
            return listenAlone(path, bound);
        }
    }

    private static SocketFile listenAlone(Path path, Runnable bound) {
        UnixSocket socket = UnixSocket.create();
        boolean done = false;
        boolean made = false;
        try {
            long result = socket.bind(path.toString());
            if (result == -Errno.EADDRINUSE) {
                replaceable(path);
                result = socket.bind(path.toString());
            }
            check(result, "bind", path);
            made = true;
            bound.run();
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            check(socket.listen(BACKLOG), "listen", path);
            done = true;
            return new SocketFile(path, socket);
        } catch (IOException e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "socket-not-made",
                    "%s can't be kept from other users: %s".formatted(path, e),
                    "Choose a folder on a file system with permissions",
                    e);
        } finally {
            if (!done) {
                socket.close();
                if (made) {
                    delete(path);
                }
            }
        }
    }

    private static void check(long result, String call, Path path) {
        KernelException.check(result, "socket-not-made", call, path.toString(), REMEDY);
    }

    /**
     * Deletes what a server left behind that was killed.
     *
     * @throws PeerlaneException if it is anything else
     */
    static void replaceable(Path path) {
        if (socketAt(path) == null) {
            throw PeerlaneException.machine(
                    "socket-not-made",
                    "%s is there already, and is no socket".formatted(path),
                    "Choose another folder, or move that file away");
        }
        try (UnixSocket probe = UnixSocket.create()) {
            if (probe.connect(path.toString()) != -Errno.ECONNREFUSED) {
                throw PeerlaneException.machine(
                        "socket-not-made",
                        "%s is in use: another server listens there".formatted(path),
                        "Choose another folder, or end the other server");
            }
        }
        delete(path);
    }

    /** Returns what tells a socket from any other, null where there is none of that name. */
    private static @Nullable Object socketAt(Path path) {
        try {
            Map<String, Object> file =
                    Files.readAttributes(path, "unix:mode,dev,ino", LinkOption.NOFOLLOW_LINKS);
            int mode = (Integer) Objects.requireNonNull(file.get("mode"));
            return (mode & S_IFMT) == S_IFSOCK ? file.get("dev") + ":" + file.get("ino") : null;
        } catch (IOException e) {
            return null;
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // the next server finds that nobody listens and replaces it
        }
    }

    Path path() {
        return path;
    }

    int descriptor() {
        return listener.descriptor();
    }

    /** Takes a connection; answers its descriptor, or a negative error number. */
    long accept() {
        return listener.accept();
    }

    /** Returns whether the file is still this socket. */
    boolean isThere() {
        return inode != null && inode.equals(socketAt(path));
    }

    /** Listens no more, and deletes the file if it is still this socket. */
    @Override
    public void close() {
        if (isThere()) {
            delete(path);
        }
        listener.close();
    }
}
