package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.vfiouser.Protocol;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Clients that send what no client should: they go, the drive stays. */
class HostileClientTest {
    private static final int TURNS = 1_000;

    @TempDir private Path folder;
    private final List<String> notes = new ArrayList<>();
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment message = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
    private final MemorySegment answer = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
    private Server server;
    private UnixSocket client;

    @BeforeEach
    void connect() {
        FabricSpec spec =
                FabricSpec.builder()
                        .drive(DriveSpec.named("a").memory(1 << 20, 512).build())
                        .build();
        server = Server.open(spec, folder, notes::add);
        client = UnixSocket.create();
        assertThat(client.connect(folder.resolve("a.sock").toString())).isZero();
    }

    @AfterEach
    void goodClientIsServedAfterwards() {
        client.close();
        turns();
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
    }

    private void turns() {
        for (int i = 0; i < TURNS; i++) {
            server.turn();
        }
    }

    private void header(int command, int bytes, int flags) {
        message.set(JAVA_SHORT_UNALIGNED, 0, (short) 7);
        message.set(JAVA_SHORT_UNALIGNED, 2, (short) command);
        message.set(JAVA_INT_UNALIGNED, 4, bytes);
        message.set(JAVA_INT_UNALIGNED, 8, flags);
        message.set(JAVA_INT_UNALIGNED, 12, 0);
    }

    /** Sends a message; answers the error number of the reply, 0 for none, -1 if there is none. */
    private int send(int command, int bytes, int... fds) {
        header(command, bytes, 0);
        client.send(message.asSlice(0, bytes), fds);
        turns();
        long got = client.receive(answer);
        for (int fd : client.takeDescriptors()) {
            KernelCalls.instance().close(fd);
        }
        return got < Protocol.HEADER_BYTES ? -1 : answer.get(JAVA_INT_UNALIGNED, 12);
    }

    private void greet() {
        message.fill((byte) 0);
        message.set(JAVA_SHORT_UNALIGNED, 18, (short) 1);
        assertThat(send(Protocol.VERSION, 21)).isZero();
    }

    private int map(long offset, long address, long bytes, int... fds) {
        message.set(JAVA_INT_UNALIGNED, 16, 32);
        message.set(JAVA_INT_UNALIGNED, 20, 3);
        message.set(JAVA_LONG_UNALIGNED, 24, offset);
        message.set(JAVA_LONG_UNALIGNED, 32, address);
        message.set(JAVA_LONG_UNALIGNED, 40, bytes);
        return send(Protocol.DMA_MAP, 48, fds);
    }

    private void assertSentAway(String why) {
        assertThat(server.clients()).isZero();
        assertThat(notes.getLast()).contains(why);
        assertThat(client.receive(answer)).isLessThanOrEqualTo(0).isNotEqualTo(-Errno.EAGAIN);
    }

    @ParameterizedTest
    @CsvSource({"0", "15", "16385", "-1", "2147483647"})
    void lengthOutOfBoundsEndsTheConnection(int bytes) {
        header(Protocol.VERSION, bytes, 0);
        client.send(message.asSlice(0, 64));
        turns();
        assertSentAway("sends a message of");
    }

    @Test
    void requestBeforeTheVersionEndsTheConnection() {
        assertThat(send(Protocol.DEVICE_GET_INFO, 32)).isEqualTo(-1);
        assertSentAway("begins with request 4");
    }

    @Test
    void replyToNothingEndsTheConnection() {
        greet();
        header(Protocol.DMA_MAP, 48, Protocol.REPLY);
        client.send(message.asSlice(0, 48));
        turns();
        assertSentAway("answers what nobody asked");
    }

    @Test
    void tooManyDescriptorsEndTheConnection() {
        greet();
        int fd = (int) MemoryFile.create("hostile", 4096);
        header(Protocol.DMA_MAP, 2048, 0);
        for (int i = 0; i < 2; i++) {
            client.send(message.asSlice(8L * i, 8), fd, fd, fd, fd, fd, fd, fd);
        }
        client.send(message.asSlice(16, 16), fd, fd, fd);
        turns();
        KernelCalls.instance().close(fd);
        assertSentAway("more than 8 descriptors");
    }

    @Test
    void mappingsThatCannotBeAreRefused() {
        greet();
        int fd = (int) MemoryFile.create("hostile", 8192);
        assertThat(map(0, 0x1000, 8192, fd)).isZero();
        assertThat(map(0, 0x2000, 4096, fd)).as("overlaps").isEqualTo(Errno.EINVAL);
        assertThat(map(4096, 0x9000, 8192, fd)).as("beyond the file").isEqualTo(Errno.EINVAL);
        assertThat(map(0, 0x9001, 4096, fd)).as("no page").isEqualTo(Errno.EINVAL);
        assertThat(map(0, 0x9000, 0, fd)).as("empty").isEqualTo(Errno.EINVAL);
        assertThat(map(0, -4096, 8192, fd)).as("wraps").isEqualTo(Errno.EINVAL);
        assertThat(map(0, Long.MAX_VALUE - 4095, 8192, fd)).as("wraps").isEqualTo(Errno.EINVAL);
        assertThat(map(-4096, 0x9000, 4096, fd)).as("offset").isEqualTo(Errno.EINVAL);
        assertThat(map(0, 0x9000, 4096, fd, fd)).as("two").isEqualTo(Errno.EINVAL);
        assertThat(map(0, 0x9000, 4096, client.descriptor())).as("socket").isEqualTo(Errno.EINVAL);
        for (int i = 0; i < 63; i++) {
            assertThat(map(0, 0x10_0000 + 0x1000L * i, 4096, fd)).isZero();
        }
        assertThat(map(0, 0x9000, 4096, fd)).as("the 65th").isEqualTo(Errno.EINVAL);
        KernelCalls.instance().close(fd);
        assertThat(server.clients()).isEqualTo(1);
    }

    @Test
    void accessesOutsideRegionsAreRefused() {
        greet();
        long[][] wrong = {
            {0, 9, 4},
            {0, -1, 4},
            {0x4000, 0, 4},
            {-4, 0, 4},
            {0, 0, 0},
            {0, 0, -4},
            {2, 0, 4},
            {0, 0, 3},
            {0, 3, 4},
            {4095, 7, 2},
            {0, 0, 8192},
            {Long.MAX_VALUE, 7, 4}
        };
        for (long[] access : wrong) {
            for (int command : new int[] {Protocol.REGION_READ, Protocol.REGION_WRITE}) {
                message.set(JAVA_LONG_UNALIGNED, 16, access[0]);
                message.set(JAVA_INT_UNALIGNED, 24, (int) access[1]);
                message.set(JAVA_INT_UNALIGNED, 28, (int) access[2]);
                int behind = command == Protocol.REGION_READ ? 0 : (int) Math.abs(access[2]);
                assertThat(send(command, 32 + behind))
                        .as("%d of %d at %d", access[2], access[1], access[0])
                        .isEqualTo(Errno.EINVAL);
            }
        }
    }

    @Test
    void memoryMadeShorterUnderTheDriveCostsOnlyItsClient() {
        greet();
        // sealing is the maker's choice: /dev/shm and files of old clients can shrink
        Path path = folder.resolve("memory");
        try {
            java.nio.file.Files.write(path, new byte[1 << 16]);
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
        int fd = (int) KernelCalls.instance().open(path.toString(), 2);
        assertThat(map(0, 0x10000, 1 << 16, fd)).isZero();
        assertThat(MemoryFile.resize(fd, 0)).isZero();
        KernelCalls.instance().close(fd);
        write(7, 4, 2, 6);
        write(0, 0x24, 4, 0x001f_001f);
        write(0, 0x28, 8, 0x10000);
        write(0, 0x30, 8, 0x12000);
        write(0, 0x14, 4, 0x0046_0001);
        turns();
        write(0, 0x1000, 4, 1);
        turns();
        assertSentAway("its memory is gone");
    }

    private void write(int region, long offset, int count, long value) {
        message.set(JAVA_LONG_UNALIGNED, 16, offset);
        message.set(JAVA_INT_UNALIGNED, 24, region);
        message.set(JAVA_INT_UNALIGNED, 28, count);
        message.set(JAVA_LONG_UNALIGNED, 32, value);
        assertThat(send(Protocol.REGION_WRITE, 32 + count)).isZero();
    }

    @Test
    void noiseNeverEndsTheServer() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 300; round++) {
            if (server.clients() == 0) {
                client.close();
                client = UnixSocket.create();
                assertThat(client.connect(folder.resolve("a.sock").toString())).isZero();
                turns();
                greet();
            }
            byte[] noise = new byte[80];
            random.nextBytes(noise);
            MemorySegment.copy(MemorySegment.ofArray(noise), 0, message, 16, noise.length);
            if (random.nextBoolean()) {
                // near what makes sense, so that it gets further
                message.set(JAVA_LONG_UNALIGNED, 16, random.nextInt(0x1100));
                message.set(JAVA_INT_UNALIGNED, 24, random.nextInt(9));
                message.set(JAVA_INT_UNALIGNED, 28, 1 << random.nextInt(4));
            }
            send(random.nextInt(17), 16 + random.nextInt(81));
        }
    }
}
