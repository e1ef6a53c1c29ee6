package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Clock;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.linux.Mischief;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.vfiouser.Mapping;
import dev.peerlane.vfiouser.Protocol;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests what a client can do to the other drives, to the next client, and to the user's files. */
class StrangersTest extends RawClient {
    private static final long SECOND = 1_000_000_000L;
    private static final int VISITORS = 1000;

    /** The moment at which a client connects to a drive. */
    enum Comes {
        WHEN_IT_IS_TAKEN,
        WHEN_IT_IS_FREE,
        AND_GREETS
    }

    @Override
    FabricModel model() {
        return FabricModel.builder()
                .drive(
                        DriveModel.named("a")
                                .memory(1 << 20, 512)
                                .cmb(CmbModel.of(64 << 10))
                                .build())
                .drive(DriveModel.named("b").memory(1 << 20, 512).build())
                .build();
    }

    /** Returns the descriptor that the server passes with a region. */
    private int regionFile(int region) {
        message.fill((byte) 0);
        message.set(JAVA_INT_UNALIGNED, 16, 1024);
        message.set(JAVA_INT_UNALIGNED, 24, region);
        header(Protocol.DEVICE_GET_REGION_INFO, 48, 0);
        client.send(message.asSlice(0, 48));
        turns();
        assertThat(client.receive(answer)).isPositive();
        int[] fds = client.takeDescriptors();
        assertThat(fds).hasSize(1);
        return fds[0];
    }

    private long access(int command, int region, long offset, long value) {
        message.set(JAVA_LONG_UNALIGNED, 16, offset);
        message.set(JAVA_INT_UNALIGNED, 24, region);
        message.set(JAVA_INT_UNALIGNED, 28, 8);
        message.set(JAVA_LONG_UNALIGNED, 32, value);
        assertThat(send(command, command == Protocol.REGION_WRITE ? 40 : 32)).isZero();
        return answer.get(JAVA_LONG_UNALIGNED, 32);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void sharedMemoryCanBeNeitherSealedNorResized(int region) {
        greet();
        int fd = regionFile(region);
        assertThat(Mischief.seal(fd, Mischief.F_SEAL_FUTURE_WRITE)).isEqualTo(-Errno.EPERM);
        assertThat(Mischief.resize(fd, 0)).isEqualTo(-Errno.EPERM);
        assertThat(Mischief.resize(fd, 1 << 30)).isEqualTo(-Errno.EPERM);
        KernelCalls.instance().close(fd);
    }

    @Test
    void whatADisconnectedClientMappedNoLongerBelongsToTheDrive() {
        greet();
        int cmb = regionFile(2);
        int bar0 = regionFile(0);
        try (Mapping data = Mapping.of(cmb, 0, 64 << 10, "the old client's");
                Mapping doorbells = Mapping.of(bar0, 0x1000, 4096, "the old client's")) {
            data.segment().set(JAVA_LONG_UNALIGNED, 64, 7);
            assertThat(access(Protocol.REGION_READ, 2, 64, 0)).isEqualTo(7);
            again();
            greet();
            assertThat(access(Protocol.REGION_READ, 2, 64, 0)).as("what it left").isZero();
            access(Protocol.REGION_WRITE, 2, 64, 0x5ec4e7);
            assertThat(data.segment().get(JAVA_LONG_UNALIGNED, 64)).as("read").isEqualTo(7);
            data.segment().set(JAVA_LONG_UNALIGNED, 64, 8);
            assertThat(access(Protocol.REGION_READ, 2, 64, 0)).as("written").isEqualTo(0x5ec4e7);
            doorbells.segment().set(JAVA_INT_UNALIGNED, 0, 9);
            int now = regionFile(0);
            try (Mapping mine = Mapping.of(now, 0x1000, 4096, "the new client's")) {
                assertThat(mine.segment().get(JAVA_INT_UNALIGNED, 0)).as("doorbell").isZero();
            }
            KernelCalls.instance().close(now);
        }
        KernelCalls.instance().close(cmb);
        KernelCalls.instance().close(bar0);
    }

    /**
     * The machine is out of memory when the client leaves, so that the shared files can't be
     * renewed.
     */
    @Test
    void aDriveThatCannotRemoveItsClientsTracesIsOutOfServiceAloneUntilItCan() {
        greet();
        access(Protocol.REGION_WRITE, 2, 64, 0x5ec4e7);
        UnixSocket other = UnixSocket.create();
        assertThat(other.connect(folder.resolve("b.sock").toString())).isZero();
        turns();
        assertThat(server.clients()).isEqualTo(2);
        client.close();
        long limit = Mischief.limitFileBytes(4096);
        try {
            turns();
        } finally {
            Mischief.limitFileBytes(limit);
        }
        assertThat(notes.getLast()).contains("a: out of service").contains("memfd_create");
        assertThat(server.clients()).isEqualTo(1);
        again();
        greet();
        assertThat(access(Protocol.REGION_READ, 2, 64, 0)).isZero();
        other.close();
        turns();
    }

    @Test
    void aUsersFileWithTheNameOfASocketStays() throws IOException {
        Path mine = Files.writeString(folder.resolve("c.sock"), "years of work");
        FabricModel c =
                FabricModel.builder()
                        .drive(DriveModel.named("c").memory(4096, 512).build())
                        .build();
        assertThatThrownBy(() -> Server.open(c, folder, notes::add))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("c.sock exists and is not a socket")
                .extracting("code")
                .isEqualTo("socket-not-made");
        assertThat(mine).hasContent("years of work");
        Files.delete(mine);
        Files.createSymbolicLink(mine, folder.resolve("a.sock"));
        assertThatThrownBy(() -> Server.open(c, folder, notes::add))
                .hasMessageContaining("is not a socket");
        assertThat(folder.resolve("a.sock")).exists();
        Files.delete(mine);
        // nor is a file deleted that replaced a socket meanwhile
        Server second = Server.open(c, folder, notes::add);
        Files.delete(mine);
        Files.writeString(mine, "years of work");
        second.close();
        assertThat(mine).hasContent("years of work");
    }

    /**
     * When the garbage collector had to free two buffers for each, 30,000 connections took a
     * gigabyte.
     */
    @ParameterizedTest
    @EnumSource
    void thousandsOfConnectionsLeaveNoBufferAndNoDescriptor(Comes comes) {
        again();
        if (comes == Comes.WHEN_IT_IS_FREE) {
            client.close();
            turns(64);
        }
        BufferPoolMXBean buffers = buffers();
        one(comes);
        long files = openFiles();
        long count = buffers.getCount();
        long bytes = buffers.getMemoryUsed();
        for (int i = 0; i < VISITORS; i++) {
            one(comes);
        }
        // fewer if buffers of earlier tests were collected meanwhile
        assertThat(buffers.getCount()).isLessThanOrEqualTo(count);
        assertThat(buffers.getMemoryUsed()).isLessThanOrEqualTo(bytes);
        assertThat(openFiles()).isLessThanOrEqualTo(files);
    }

    private void one(Comes comes) {
        UnixSocket one = UnixSocket.create();
        assertThat(one.connect(folder.resolve("a.sock").toString())).isZero();
        turns(64);
        if (comes == Comes.AND_GREETS) {
            message.fill((byte) 0);
            header(Protocol.VERSION, 20, 0);
            one.send(message.asSlice(0, 20));
            turns(64);
            assertThat(one.receive(answer)).isPositive();
        }
        one.close();
        turns(64);
    }

    private static BufferPoolMXBean buffers() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClientThatSendsSlowlyIsDisconnectedAfterFiveSecondsInAll(boolean greeted) {
        if (greeted) {
            greet();
        }
        turnNanos = SECOND / 10;
        header(greeted ? Protocol.REGION_WRITE : Protocol.VERSION, 4096, 0);
        long start = nanos;
        for (int i = 0; i == 0 || (i < 4096 && server.clients() == 1); i++) {
            client.send(message.asSlice(i, 1));
            turns(64);
        }
        assertSentAway("the rest of a message is missing");
        assertThat((nanos - start) / SECOND).isBetween(5L, 6L);
    }

    @Test
    void refusedVersionsDoNotKeepADriveInUse() {
        turnNanos = SECOND / 10;
        for (int i = 0; i == 0 || (i < 100 && server.clients() == 1); i++) {
            message.fill((byte) 1);
            header(Protocol.VERSION, 24, 0);
            client.send(message.asSlice(0, 24));
            turns(64);
        }
        assertSentAwayUnread("it does not send its version");
    }

    private void assertSentAwayUnread(String why) {
        assertThat(server.clients()).isZero();
        assertThat(notes.getLast()).contains(why);
    }

    /** This happens on a machine that is busy or was suspended. */
    @Test
    void timeInWhichTheServerDidNotRunDoesNotCountAgainstAClient() {
        greet();
        header(Protocol.DEVICE_RESET, 16, 0);
        client.send(message.asSlice(0, 9));
        turns();
        nanos += 3600 * SECOND;
        turns(64);
        assertThat(server.clients()).isEqualTo(1);
        client.send(message.asSlice(9, 7));
        turns();
        assertThat(client.receive(answer)).isEqualTo(16);
    }

    @Test
    void aClientOfADriveInUseIsToldForHowLong() {
        greet();
        nanos += 754 * SECOND;
        turns();
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
        List<Path> socket = List.of(folder.resolve("a.sock"));
        assertThatThrownBy(() -> VfioUserFabric.open(socket, clock, 60 * SECOND))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("a.sock is in use")
                .hasMessageContaining("another client has had it for 7")
                .extracting("code")
                .isEqualTo("vfio-user-busy");
        assertThat(server.clients()).isEqualTo(1);
        assertThat(send(Protocol.DEVICE_RESET, 16)).isZero();
    }

    @Test
    void aSilentClientOfADriveInUseIsDisconnectedToo() {
        greet();
        long before = openFiles();
        UnixSocket[] crowd = new UnixSocket[20];
        for (int i = 0; i < crowd.length; i++) {
            crowd[i] = UnixSocket.create();
            assertThat(crowd[i].connect(folder.resolve("a.sock").toString())).isZero();
            turns(64);
        }
        assertThat(openFiles()).as("8 are heard").isEqualTo(before + crowd.length + 8);
        turnNanos = SECOND;
        turns();
        for (UnixSocket one : crowd) {
            assertThat(one.receive(answer)).isZero();
            one.close();
        }
        assertThat(openFiles()).isEqualTo(before);
        assertThat(server.clients()).isEqualTo(1);
    }

    /**
     * The program behind such a file's file system could block every drive of the server forever.
     */
    @Test
    void memoryInAFileOnDiskIsRefused() throws IOException {
        greet();
        Path disk = Files.createTempFile(Path.of("target"), "disk", null);
        Files.write(disk, new byte[4096]);
        int fd = (int) KernelCalls.instance().open(disk.toString(), Kernel.O_RDWR);
        Files.delete(disk);
        boolean isMemory = MemoryFile.isMemory(fd);
        int error = map(0, 0x10000, 4096, fd);
        KernelCalls.instance().close(fd);
        assumeThat(isMemory).as("the build is on a disk").isFalse();
        assertThat(error).isEqualTo(Errno.EINVAL);
        assertThat(server.clients()).isEqualTo(1);
    }

    /** Parameters: pages at which the drive has registers of its own on the bus, or could have. */
    @Test
    void memoryMappedOverTheDrivesRegistersIsRefused() {
        greet();
        int fd = Mischief.unsealed("memory", 4096);
        for (int bar = 0; bar < 6; bar++) {
            message.set(JAVA_LONG_UNALIGNED, 16, 0x10 + 4L * bar);
            message.set(JAVA_INT_UNALIGNED, 24, Protocol.CONFIG_REGION);
            message.set(JAVA_INT_UNALIGNED, 28, 8);
            assertThat(send(Protocol.REGION_READ, 32)).isZero();
            long address = answer.get(JAVA_LONG_UNALIGNED, 32) & -4096;
            if (address > 0) {
                map(0, address, 4096, fd);
            }
        }
        KernelCalls.instance().close(fd);
        assertThat(server.clients()).isEqualTo(1);
        assertThat(notes).noneMatch(note -> note.contains(Server.UNFORESEEN));
    }
}
