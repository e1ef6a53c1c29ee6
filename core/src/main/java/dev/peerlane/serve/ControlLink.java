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
 * A symbolic link to a drive's socket, at the path that SPDK's clients expect: {@code cntrl} in a
 * folder with the drive's name. connect(2) follows the link.
 */
final class ControlLink implements AutoCloseable {
    /** SPDK's file name for the socket in a drive's folder. */
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
     * Creates the link, and its folder if that is missing. Replaces what a killed server left
     * behind: its link, and a folder with nothing else in it.
     *
     * @param folder the folder for the link, beside the socket
     * @throws PeerlaneException if the link can't be created, or if the name belongs to another
     *     file, which is left alone
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

    /**
     * Creates the folder. Returns whether it is this server's: new, or with nothing in it but this
     * link.
     */
    private boolean makeFolder() throws IOException {
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return isOurs() && isAlone();
        }
        if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw PeerlaneException.machine(
                    "socket-not-made",
                    "%s exists and is not a folder".formatted(folder),
                    "Choose another folder for the sockets, or move that file away");
        }
        Files.createDirectory(
                folder,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        return true;
    }

    private void makeLink() throws IOException {
        if (isOurs()) {
            return; // the link leads to the socket, which is this server's now
        }
        if (Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            SocketFile.replaceable(link);
        }
        Files.createSymbolicLink(link, target);
    }

    /** Returns whether the link exists with the same target text as this one. */
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
     * Deletes link and folder, unless they now belong to another server, whose link has the same
     * target. Close this before the socket.
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
            // the user has put a file into the folder; the next server will find the link
        }
    }
}
