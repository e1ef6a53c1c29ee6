package dev.peerlane.qtest;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A qtest server without its own thread: each run answers the requests that have arrived. */
final class QemuServer implements Runnable, AutoCloseable {
    private final Path path;
    private final PlayedQemu qemu;
    private final ServerSocketChannel listener;
    private final ByteBuffer in = ByteBuffer.allocate(1 << 17);
    private final StringBuilder line = new StringBuilder();
    private ByteBuffer out = ByteBuffer.allocate(0);
    private @Nullable SocketChannel client;
    private boolean ended;

    QemuServer(Path path, PlayedQemu qemu) throws IOException {
        this.path = path;
        this.qemu = qemu;
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(path));
        listener.configureBlocking(false);
    }

    @Override
    public void run() {
        try {
            if (client == null && !ended) {
                client = listener.accept();
                if (client != null) {
                    client.configureBlocking(false);
                }
            }
            SocketChannel there = client;
            if (there != null) {
                serve(there);
            }
        } catch (IOException e) {
            ended = true; // the client has disconnected
        }
    }

    private void serve(SocketChannel there) throws IOException {
        there.write(out);
        in.clear();
        if (there.read(in) <= 0) {
            return;
        }
        StringBuilder answers = new StringBuilder(ISO_8859_1.decode(out));
        for (in.flip(); in.hasRemaining(); ) {
            char next = (char) in.get();
            if (next != '\n') {
                line.append(next);
                continue;
            }
            String answer = qemu.apply(line.toString());
            line.setLength(0);
            if (answer == null) {
                ended = true;
                client = null;
                there.close();
                return;
            }
            answers.append(answer);
        }
        out = ISO_8859_1.encode(answers.toString());
        there.write(out);
    }

    @Override
    public void close() throws IOException {
        listener.close();
        if (client != null) {
            client.close();
        }
        Files.delete(path);
    }
}
