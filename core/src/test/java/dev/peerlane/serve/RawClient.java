package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.vfiouser.Protocol;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * Base of tests that send raw bytes to a server. After each test, a correct client is served, and
 * no descriptor and no mapping is left.
 */
abstract class RawClient {
    private static final int TURNS = 1_000;

    @TempDir Path folder;
    final List<String> notes = new ArrayList<>();
    private final Arena arena = Arena.ofConfined();
    final MemorySegment message = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
    final MemorySegment answer = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
    Server server;
    UnixSocket client;
    int turnsAMessage = TURNS;
    long nanos;
    long turnNanos = 10_000_000;
    private long filesBefore;
    private long mappingsBefore;

    /**
     * Returns virtual time, which advances at each call, so that every look at the sockets is due
     * and nothing waits.
     */
    private long time() {
        nanos += turnNanos;
        return nanos;
    }

    /** Returns the served drives. A client is connected to the first one, which is named a. */
    FabricModel model() {
        return FabricModel.builder()
                .drive(DriveModel.named("a").memory(1 << 20, 512).build())
                .build();
    }

    @BeforeEach
    void connect() {
        filesBefore = openFiles();
        mappingsBefore = mappings();
        server = Server.open(model(), folder, notes::add, this::time);
        client = UnixSocket.create();
        assertThat(client.connect(folder.resolve("a.sock").toString())).isZero();
    }

    @AfterEach
    void goodClientIsServedAfterwards() {
        client.close();
        turns();
        assertThat(notes).noneMatch(note -> note.contains(Server.UNFORESEEN));
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
        try (VfioUserFabric fabric = VfioUserFabric.open(server.sockets(), clock, 5_000_000_000L);
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            assertThat(device.bar(0).load32(8)).isEqualTo(0x0001_0400);
        }
        server.close();
        arena.close();
        assertThat(openFiles()).as("open descriptors").isEqualTo(filesBefore);
        assertThat(mappings()).as("mapped files in memory").isEqualTo(mappingsBefore);
    }

    static long openFiles() {
        return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
    }

    long mappings() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(l -> l.contains("/memfd:") || l.contains(folder.toString()))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void turns() {
        turns(turnsAMessage);
    }

    void turns(int count) {
        for (int i = 0; i < count; i++) {
            server.turn();
        }
    }

    void header(int command, int bytes, int flags) {
        message.set(JAVA_SHORT_UNALIGNED, 0, (short) 7);
        message.set(JAVA_SHORT_UNALIGNED, 2, (short) command);
        message.set(JAVA_INT_UNALIGNED, 4, bytes);
        message.set(JAVA_INT_UNALIGNED, 8, flags);
        message.set(JAVA_INT_UNALIGNED, 12, 0);
    }

    /**
     * Sends a message. Returns the error number of the reply, 0 for success, -1 if there is no
     * reply.
     */
    int send(int command, int bytes, int... fds) {
        header(command, bytes, 0);
        client.send(message.asSlice(0, bytes), fds);
        turns();
        long got = client.receive(answer);
        for (int fd : client.takeDescriptors()) {
            KernelCalls.instance().close(fd);
        }
        return got < Protocol.HEADER_BYTES ? -1 : answer.get(JAVA_INT_UNALIGNED, 12);
    }

    void greet() {
        message.fill((byte) 0);
        message.set(JAVA_SHORT_UNALIGNED, 18, (short) 1);
        assertThat(send(Protocol.VERSION, 21)).isZero();
    }

    int map(long offset, long address, long bytes, int... fds) {
        message.set(JAVA_INT_UNALIGNED, 16, 32);
        message.set(JAVA_INT_UNALIGNED, 20, 3);
        message.set(JAVA_LONG_UNALIGNED, 24, offset);
        message.set(JAVA_LONG_UNALIGNED, 32, address);
        message.set(JAVA_LONG_UNALIGNED, 40, bytes);
        return send(Protocol.DMA_MAP, 48, fds);
    }

    void assertSentAway(String why) {
        assertThat(server.clients()).isZero();
        assertThat(notes.getLast()).contains(why);
        assertThat(client.receive(answer)).isLessThanOrEqualTo(0).isNotEqualTo(-Errno.EAGAIN);
    }

    int file(String name, int bytes, int flags) {
        try {
            Path path = Files.write(folder.resolve(name), new byte[bytes]);
            return (int) KernelCalls.instance().open(path.toString(), flags);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int unmap(int flags, long address, long bytes) {
        message.set(JAVA_INT_UNALIGNED, 16, 24);
        message.set(JAVA_INT_UNALIGNED, 20, flags);
        message.set(JAVA_LONG_UNALIGNED, 24, address);
        message.set(JAVA_LONG_UNALIGNED, 32, bytes);
        return send(Protocol.DMA_UNMAP, 40);
    }

    void again() {
        client.close();
        client = UnixSocket.create();
        assertThat(client.connect(folder.resolve("a.sock").toString())).isZero();
        turns();
    }
}
