package dev.peerlane.serve;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;

/**
 * A drive's socket as SPDK's clients look for it: {@code cntrl} in a folder that has the drive's
 * name. It is a symbolic link to the socket, which connect(2) follows.
 */
final class ControlLink implements AutoCloseable {
    /** What SPDK calls the socket in a drive's folder. */
    static final String NAME = "cntrl";

    private final Path folder;
    private final Path link;
    private final Path target;
    private final SocketFile socket;
    private boolean ownsFolder;

    private ControlLink(Path folder, SocketFile socket) {
        this.folder = folder;
        this.socket = socket;
        link = folder.resolve(NAME);
        target = Path.of("..").resolve(socket.path().getFileName());
    }

    /**
     * Makes one, and its folder if that is not there. What a server left behind that was killed is
     * taken over: the link, and a folder with nothing else in it.
     *
     * @param folder beside the socket
     * @throws PeerlaneException if it can't be made, or something else has that name, which stays
     */
    static ControlLink make(Path folder, SocketFile socket) {
        ControlLink made = new ControlLink(folder, socket);
        boolean done = false;
        try {
            made.ownsFolder = made.makeFolder();
            made.makeLink();
            done = true;
            return made;
        } catch (IOException e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "socket-not-made",
                    "%s can't be made: %s".formatted(made.link, e),
                    "Choose a folder that is yours, on a file system with symbolic links",
                    e);
        } finally {
            if (!done) {
                made.close();
            }
        }
    }

    /** Returns whether the folder is ours: new, or with nothing in it but our link. */
    private boolean makeFolder() throws IOException {
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return isOurs() && isAlone();
        }
        if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw PeerlaneException.machine(
                    "socket-not-made",
                    "%s is there already, and is no folder".formatted(folder),
                    "Choose another folder for the sockets, or move that file away");
        }
        Files.createDirectory(
                folder,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        return true;
    }

    private void makeLink() throws IOException {
        if (isOurs()) {
            return; // it leads to a socket that is this server's now
        }
        if (Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            SocketFile.replaceable(link);
        }
        Files.createSymbolicLink(link, target);
    }

    /** Returns whether the link is one that leads to the socket by the very words of ours. */
    private boolean isOurs() {
        try {
            return Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(target);
        } catch (IOException e) {
            return false;
        }
    }

    private boolean isAlone() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> first = files.limit(2).toList();
            return first.equals(List.of(link));
        }
    }

    /**
     * Deletes link and folder, unless they are somebody else's by now: a server that listens there
     * in this one's place has the same link. Comes before the socket's close.
     */
    @Override
    public void close() {
        if (!socket.isThere() && Files.exists(socket.path(), LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (isOurs()) {
            delete(link);
        }
        if (ownsFolder) {
            delete(folder);
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // a folder in which the user has put something; a link is found by the next server
        }
    }
}
