package dev.peerlane.qtest;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A qtest server that answers as a test prescribes. The test gets each line and returns the raw
 * text to send, or null to hang up. The server answers the greeting itself unless the test takes
 * that over.
 */
final class FakeServer implements AutoCloseable {
    private final ServerSocketChannel listener;
    private final Path path;
    private final Thread thread;
    private final List<String> received = new CopyOnWriteArrayList<>();

    FakeServer(Path directory, boolean ownHello, Function<String, @Nullable String> script)
            throws IOException {
        path = directory.resolve("fake.sock");
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(path));
        thread = Thread.ofPlatform().daemon().start(() -> serve(ownHello, script));
    }

    FakeServer(Path directory, Function<String, @Nullable String> script) throws IOException {
        this(directory, false, script);
    }

    Path path() {
        return path;
    }

    /** Returns the lines that arrived, without the greeting that the server answered itself. */
    List<String> received() {
        return received;
    }

    private void serve(boolean ownHello, Function<String, @Nullable String> script) {
        try (SocketChannel client = listener.accept()) {
            BufferedReader lines = new BufferedReader(Channels.newReader(client, US_ASCII));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String answer = "OK little\n";
                if (ownHello || !line.equals("endianness")) {
                    received.add(line);
                    answer = script.apply(line);
                }
                if (answer == null) {
                    return;
                }
                ByteBuffer bytes = ByteBuffer.wrap(answer.getBytes(US_ASCII));
                while (bytes.hasRemaining()) {
                    client.write(bytes);
                }
            }
        } catch (IOException e) {
            received.add("ended: " + e); // the client has disconnected, as some tests intend
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
