package dev.peerlane.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.vfiouser.Channel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A server that forwards requests to another one and keeps every descriptor that it receives. */
final class Eavesdropper implements AutoCloseable {
    private final List<Integer> handed = new ArrayList<>();
    private final UnixSocket listener = UnixSocket.create();
    private final Path served;
    private Channel client;
    private Channel server;

    Eavesdropper(Path path, Path served) {
        this.served = served;
        assertThat(listener.bind(path.toString())).isZero();
        assertThat(listener.listen(1)).isZero();
    }

    /** Returns the descriptors that its client passed. */
    List<Integer> handed() {
        return handed;
    }

    /**
     * Returns the names of those files: peerlane-dma, and peerlane- with a drive's name for its
     * CMB.
     */
    List<String> names() {
        return handed.stream().map(Eavesdropper::name).toList();
    }

    private static String name(int fd) {
        try {
            String link = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
            return link.replaceFirst("^/memfd:", "").replaceFirst(" \\(deleted\\)$", "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void turn() {
        if (client == null) {
            long fd = listener.accept();
            if (fd < 0) {
                return;
            }
            UnixSocket socket = UnixSocket.create();
            assertThat(socket.connect(served.toString())).isZero();
            client = new Channel(UnixSocket.of(fd), "the client");
            server = new Channel(socket, "the server");
        }
        if (client.receive()) {
            for (int fd : pass(client, server)) {
                handed.add(fd);
            }
        }
        if (server.receive()) {
            for (int fd : pass(server, client)) {
                KernelCalls.instance().close(fd);
            }
        }
    }

    private static int[] pass(Channel from, Channel to) {
        MemorySegment body = from.body();
        to.outgoing().copyFrom(body);
        int[] fds = from.takeDescriptors();
        to.send(from.id(), from.command(), from.flags(), from.errno(), body.byteSize(), fds);
        assertThat(to.flush()).isTrue();
        from.next();
        return fds;
    }

    @Override
    public void close() {
        handed.forEach(fd -> KernelCalls.instance().close(fd));
        listener.close();
        if (client != null) {
            client.close();
            server.close();
        }
    }
}
