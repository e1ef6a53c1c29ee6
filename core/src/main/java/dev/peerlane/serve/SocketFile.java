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

/** A listening socket in the file system, accessible to its owner only, and its file. */
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
     * Creates a listening socket. A socket that nobody listens to is replaced.
     *
     * @throws PeerlaneException if the socket can't be created, or if the name belongs to another
     *     file, which is left alone
     */
    static SocketFile listen(Path path) {
        return listen(path, () -> {}, () -> UnixSocket.await(new int[0], WAIT_MILLIS));
    }

    /**
     * Creates a listening socket as {@link #listen(Path)} does. A socket that is bound but not yet
     * listening looks abandoned, so this holds a lock on the folder meanwhile.
     *
     * @param bound runs when the socket is bound and not yet listening
     * @param wait waits briefly while another process holds the lock
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
     * Deletes the socket that a killed server left behind.
     *
     * @throws PeerlaneException if the file is anything else
     */
    static void replaceable(Path path) {
        if (socketAt(path) == null) {
            throw PeerlaneException.machine(
                    "socket-not-made",
                    "%s exists and is not a socket".formatted(path),
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

    /**
     * Returns the identity (device and inode) of the socket at a path, or null if there is no
     * socket.
     */
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
            // the next server replaces the file, since nobody listens
        }
    }

    Path path() {
        return path;
    }

    int descriptor() {
        return listener.descriptor();
    }

    /** Accepts a connection. Returns its descriptor, or a negative error number. */
    long accept() {
        return listener.accept();
    }

    /** Returns whether the path still leads to this socket. */
    boolean isThere() {
        return inode != null && inode.equals(socketAt(path));
    }

    /** Stops listening, and deletes the file if it is still this socket. */
    @Override
    public void close() {
        if (isThere()) {
            delete(path);
        }
        listener.close();
    }
}
