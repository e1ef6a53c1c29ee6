package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.Clock;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.linux.Mischief;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.vfiouser.Protocol;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests invalid requests: they are refused as the protocol requires, and the drive keeps working.
 */
class HostileClientTest extends RawClient {

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
    void impossibleMappingsAreRefused() {
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
    void truncatedMemoryDisconnectsOnlyItsClient() {
        greet();
        shrinkUnderTheDrive();
    }

    @Test
    void aDriveOutlivesMoreSuchClientsThanItHasCommands() {
        turnsAMessage = 130;
        for (int i = 0; i < 1100; i++) {
            again();
            greet();
            shrinkUnderTheDrive();
        }
        client.close();
        Clock clock =
                new Clock() {
                    @Override
                    public long nanoTime() {
                        return nanos;
                    }

                    @Override
                    public void turn() {
                        server.turn();
                    }
                };
        try (VfioUserFabric fabric = VfioUserFabric.open(server.sockets(), clock, 5_000_000_000L);
                Controller controller =
                        Controller.open(
                                fabric, fabric.locators().getFirst(), ControllerOptions.DEFAULTS)) {
            assertThat(controller.namespace(1).blockCount()).isEqualTo(2048);
        }
    }

    private void shrinkUnderTheDrive() {
        // the creator of a file chooses its seals
        int fd = Mischief.unsealed("memory", 1 << 16);
        assertThat(map(0, 0x10000, 1 << 16, fd)).isZero();
        assertThat(Mischief.resize(fd, 0)).isZero();
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
    void unmappableDescriptorsAreRefusedAndClosed() {
        greet();
        int readOnly = file("read-only", 4096, 0);
        int folderItself = (int) KernelCalls.instance().open(folder.toString(), 0);
        int nothing = (int) KernelCalls.instance().open("/dev/null", Kernel.O_RDWR);
        int tooShort = (int) MemoryFile.create("short", 100);
        for (int fd : new int[] {readOnly, folderItself, nothing, tooShort}) {
            assertThat(map(0, 0x9000, 4096, fd)).isEqualTo(Errno.EINVAL);
            KernelCalls.instance().close(fd);
        }
        // refused mappings occupy no addresses
        assertThat(map(0, 0x9000, 4096)).isZero();
        assertThat(map(0, 0x9000, 4096)).as("twice").isEqualTo(Errno.EINVAL);
        assertThat(server.clients()).isEqualTo(1);
    }

    @Test
    void unrequestedDescriptorsAreClosed() {
        greet();
        int fd = (int) MemoryFile.create("hostile", 4096);
        long before = openFiles();
        message.set(JAVA_INT_UNALIGNED, 16, 16);
        for (int i = 0; i < 20; i++) {
            assertThat(send(Protocol.DEVICE_GET_INFO, 32, fd, fd, fd)).isZero();
        }
        assertThat(openFiles()).isEqualTo(before);
        // those of an incomplete message are closed with its connection
        header(Protocol.DMA_MAP, 48, 0);
        client.send(message.asSlice(0, 20), fd, fd);
        turns();
        assertThat(openFiles()).isEqualTo(before + 2);
        client.close();
        turns();
        assertThat(server.clients()).isZero();
        KernelCalls.instance().close(fd);
    }

    @Test
    void onlyExistingMappingsCanBeUnmapped() {
        greet();
        int fd = (int) MemoryFile.create("hostile", 1 << 16);
        assertThat(map(0, 0x10000, 0x4000, fd)).isZero();
        assertThat(map(0, 0x20000, 0x4000, fd)).isZero();
        KernelCalls.instance().close(fd);
        assertThat(unmap(0, 0x30000, 0x4000)).as("elsewhere").isEqualTo(Errno.EINVAL);
        assertThat(unmap(0, 0x10000, 0x2000)).as("a part").isEqualTo(Errno.EINVAL);
        assertThat(unmap(0, 0x12000, 0x2000)).as("a part").isEqualTo(Errno.EINVAL);
        assertThat(unmap(0, 0x10000, 0)).as("nothing").isEqualTo(Errno.EINVAL);
        assertThat(unmap(0, 0x10000, -1)).as("all there is").isEqualTo(Errno.EINVAL);
        assertThat(unmap(1, 0x10000, 0x4000)).as("dirty pages").isEqualTo(Errno.EINVAL);
        assertThat(unmap(2, 0x10000, 0x4000)).as("all, but a part").isEqualTo(Errno.EINVAL);
        long mapped = mappings();
        assertThat(unmap(0, 0x10000, 0x4000)).isZero();
        assertThat(mappings()).isEqualTo(mapped - 1);
        assertThat(unmap(0, 0x10000, 0x4000)).as("again").isEqualTo(Errno.EINVAL);
        assertThat(unmap(2, 0, 0)).isZero();
        assertThat(mappings()).isEqualTo(mapped - 2);
    }

    /** Parameters: command, bytes of the body, argsz. The rest of the body is zero. */
    @ParameterizedTest
    @CsvSource({
        "2, 32, 31", "2, 32, 0", "2, 31, 32", "3, 24, 23", "3, 23, 24", "4, 16, 15", "4, 15, 16",
        "5, 32, 31", "5, 32, 12", "5, 31, 64", "7, 16, 15", "7, 15, 16", "2, 0, 0", "5, 4, -1"
    })
    void aTooSmallBodyOrArgszIsRefused(int command, int bytes, int room) {
        greet();
        message.fill((byte) 0);
        message.set(JAVA_INT_UNALIGNED, 16, room);
        assertThat(send(command, 16 + bytes)).isEqualTo(Errno.EINVAL);
        assertThat(server.clients()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"32, 0", "63, 0", "64, 1", "100000, 1", "-1, 1"})
    void capabilitiesAndDescriptorAreSentOnlyIfTheyFit(int room, int descriptors) {
        greet();
        message.fill((byte) 0);
        message.set(JAVA_INT_UNALIGNED, 16, room);
        header(Protocol.DEVICE_GET_REGION_INFO, 48, 0);
        client.send(message.asSlice(0, 48));
        turns();
        assertThat(client.receive(answer)).isEqualTo(descriptors == 0 ? 48 : 80);
        int[] fds = client.takeDescriptors();
        for (int fd : fds) {
            KernelCalls.instance().close(fd);
        }
        assertThat(fds).hasSize(descriptors);
        assertThat(answer.get(JAVA_INT_UNALIGNED, 16)).as("argsz").isEqualTo(64);
    }

    @ParameterizedTest
    @CsvSource({"0", "6", "11", "12", "14", "15", "16", "65535"})
    void unsupportedRequestsAreRefused(int command) {
        greet();
        assertThat(send(command, 64)).isEqualTo(Errno.EOPNOTSUPP);
        assertThat(answer.get(JAVA_SHORT_UNALIGNED, 0)).as("identifier").isEqualTo((short) 7);
        assertThat(answer.get(JAVA_SHORT_UNALIGNED, 2)).isEqualTo((short) command);
        assertThat(answer.get(JAVA_INT_UNALIGNED, 4)).as("length").isEqualTo(16);
        assertThat(answer.get(JAVA_INT_UNALIGNED, 8)).isEqualTo(Protocol.REPLY | Protocol.ERROR);
    }

    /**
     * Sends random bytes that are close to valid messages, so that they get past the first checks.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void randomRequestsNeverEndTheServer(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int fd = (int) MemoryFile.create("noise", 1 << 16);
        for (int round = 0; round < 100; round++) {
            if (server.clients() == 0) {
                again();
                if (random.nextInt(8) != 0) {
                    greet();
                }
            }
            noise(random, fd);
        }
        KernelCalls.instance().close(fd);
    }

    private void noise(SplittableRandom random, int fd) {
        byte[] bytes = new byte[80];
        random.nextBytes(bytes);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, message, 16, bytes.length);
        int command = random.nextInt(17);
        int length = 16 + random.nextInt(81);
        switch (random.nextInt(4)) {
            case 0 -> {
                message.set(JAVA_LONG_UNALIGNED, 16, random.nextInt(0x1100));
                message.set(JAVA_INT_UNALIGNED, 24, random.nextInt(9));
                message.set(JAVA_INT_UNALIGNED, 28, 1 << random.nextInt(4));
                command = random.nextBoolean() ? Protocol.REGION_READ : Protocol.REGION_WRITE;
                length = 32 + (command == Protocol.REGION_READ ? 0 : 1 << random.nextInt(4));
            }
            case 1 -> {
                long page = 0x1000L * random.nextInt(16);
                map(page, page * random.nextInt(3), 0x1000L * random.nextInt(5), fd);
                return;
            }
            case 2 -> {
                message.set(JAVA_INT_UNALIGNED, 16, 16 + random.nextInt(64));
                message.set(JAVA_INT_UNALIGNED, 24, random.nextInt(10));
            }
            default -> {
                // the bytes stay random
            }
        }
        int[] fds = random.nextInt(4) == 0 ? new int[] {fd, fd} : new int[0];
        send(command, length, fds);
    }
}
