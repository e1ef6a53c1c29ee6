package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.EmulatedController;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.vfiouser.Protocol;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests DEVICE_SET_IRQS: which requests are accepted, and what happens to eventfds. */
class ClientInterruptsTest {
    private static final int NONE = Protocol.IRQ_DATA_NONE;
    private static final int BOOL = Protocol.IRQ_DATA_BOOL;
    private static final int EVENTFD = Protocol.IRQ_DATA_EVENTFD;
    private static final int TRIGGER = Protocol.IRQ_TRIGGER;
    private static final int MSIX = Protocol.IRQ_MSIX;

    private final Kernel kernel = KernelCalls.instance();
    private final Arena arena = Arena.ofConfined();
    private final EmulatedFabric fabric =
            new EmulatedFabric(
                    FabricModel.builder()
                            .drive(DriveModel.named("a").memory(1 << 20, 512).ioQueues(4).build())
                            .build());
    private final EmulatedController controller = fabric.controller("a");
    private final PciDevice device = fabric.open("emu:a");
    private final ClientInterrupts interrupts = new ClientInterrupts(controller);
    private final List<Integer> mine = new ArrayList<>();

    @AfterEach
    void closeAll() {
        interrupts.close();
        mine.forEach(kernel::close);
        device.close();
        fabric.close();
        arena.close();
    }

    private int counter() {
        int fd = (int) kernel.eventfd(0, Kernel.EFD_NONBLOCK | Kernel.EFD_CLOEXEC);
        assertThat(fd).isPositive();
        mine.add(fd);
        return fd;
    }

    private long count(int fd) {
        MemorySegment value = arena.allocate(JAVA_LONG);
        return kernel.read(fd, value) < 0 ? 0 : value.get(JAVA_LONG, 0);
    }

    private static boolean isEventfd(int fd) throws IOException {
        Path link = Path.of("/proc/self/fd/" + fd);
        return Files.isSymbolicLink(link)
                && Files.readSymbolicLink(link).toString().contains("eventfd");
    }

    private long set(int flags, int kind, int start, int count, int... fds) {
        return set(new byte[0], flags, kind, start, count, fds);
    }

    private long set(byte[] data, int flags, int kind, int start, int count, int... fds) {
        MemorySegment body = arena.allocate(Protocol.SET_IRQS_BYTES + data.length);
        body.set(JAVA_INT_UNALIGNED, 0, (int) body.byteSize());
        body.set(JAVA_INT_UNALIGNED, 4, flags);
        body.set(JAVA_INT_UNALIGNED, 8, kind);
        body.set(JAVA_INT_UNALIGNED, 12, start);
        body.set(JAVA_INT_UNALIGNED, 16, count);
        MemorySegment.copy(data, 0, body, JAVA_BYTE, Protocol.SET_IRQS_BYTES, data.length);
        return interrupts.set(body, fds);
    }

    private boolean isMasked(int vector) {
        return device.bar(4).load32(16L * vector + 12) == 1;
    }

    @Test
    void vectorWithAnEventfdIsUnmaskedAndOneThatLosesItIsMasked() {
        assertThat(set(EVENTFD | TRIGGER, MSIX, 1, 2, counter(), counter())).isZero();
        mine.clear(); // the server owns them now
        assertThat(isMasked(0)).isTrue();
        assertThat(isMasked(1)).isFalse();
        assertThat(isMasked(2)).isFalse();
        assertThat(set(EVENTFD | TRIGGER, MSIX, 1, 1)).isZero();
        assertThat(isMasked(1)).isTrue();
        assertThat(isMasked(2)).isFalse();
        assertThat(set(NONE | TRIGGER, MSIX, 0, 0)).isZero();
        assertThat(isMasked(2)).isTrue();
    }

    @Test
    void triggerWithoutDataSignalsAllVectorsAndWithBytesTheNonzeroOnes() {
        int one = counter();
        int two = counter();
        assertThat(set(EVENTFD | TRIGGER, MSIX, 0, 2, one, two)).isZero();
        mine.clear();
        assertThat(set(NONE | TRIGGER, MSIX, 0, 5)).isZero();
        assertThat(count(one)).isOne();
        assertThat(count(two)).isOne();
        assertThat(set(new byte[] {0, 1}, BOOL | TRIGGER, MSIX, 0, 2)).isZero();
        assertThat(count(one)).isZero();
        assertThat(count(two)).isOne();
    }

    @Test
    void maskAndUnmaskReachTheTable() {
        assertThat(set(EVENTFD | TRIGGER, MSIX, 3, 1, counter())).isZero();
        mine.clear();
        assertThat(set(NONE | Protocol.IRQ_MASK, MSIX, 3, 1)).isZero();
        assertThat(isMasked(3)).isTrue();
        assertThat(set(new byte[] {1, 1}, BOOL | Protocol.IRQ_UNMASK, MSIX, 3, 2)).isZero();
        assertThat(isMasked(3)).isFalse();
        assertThat(isMasked(4)).as("there is no eventfd").isTrue();
        device.reset();
        assertThat(isMasked(3)).as("a reset takes no eventfd away").isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "0x21, 2, 0, 6", // one vector too many
        "0x21, 2, 5, 1",
        "0x21, 2, -1, 1",
        "0x21, 2, 0, -1",
        "0x21, 2, 2147483647, 2147483647",
        "0x21, 0, 0, 1", // INTx is not supported
        "0x21, 1, 0, 1",
        "0x21, 5, 0, 0", // no such kind
        "0x21, -1, 0, 0",
        "0x21, 2, 1, 0", // turning off begins at 0
        "0x20, 2, 0, 1", // no data
        "0x23, 2, 0, 1", // two kinds of data
        "0x39, 2, 0, 1", // two actions
        "0x01, 2, 0, 1", // no action
        "0x41, 2, 0, 1", // unknown action
        "0x22, 2, 0, 1", // the bytes are missing
        "0x0c, 2, 0, 1", // masking by eventfd
        "0x14, 2, 0, 1",
    })
    void anImpossibleRequestIsRefusedAndChangesNothing(
            String flags, int kind, int start, int count) {
        assertThat(set(Integer.decode(flags), kind, start, count)).isEqualTo(-Errno.EINVAL);
        for (int vector = 0; vector < 5; vector++) {
            assertThat(isMasked(vector)).isTrue();
        }
    }

    @Test
    void descriptorsHaveToBeOneForEachVectorAndEventfds() throws IOException {
        int one = counter();
        int two = counter();
        assertThat(set(EVENTFD | TRIGGER, MSIX, 0, 3, one, two)).isEqualTo(-Errno.EINVAL);
        assertThat(set(EVENTFD | TRIGGER, MSIX, 0, 1, one, two)).isEqualTo(-Errno.EINVAL);
        assertThat(set(NONE | TRIGGER, MSIX, 0, 1, one)).isEqualTo(-Errno.EINVAL);
        assertThat(set(NONE | TRIGGER, MSIX, 0, 0, one)).isEqualTo(-Errno.EINVAL);
        int file = (int) MemoryFile.create("no-eventfd", 4096);
        mine.add(file);
        int[] fds = {one, file};
        assertThat(set(EVENTFD | TRIGGER, MSIX, 0, 2, fds)).isEqualTo(-Errno.EINVAL);
        assertThat(fds).as("the first was taken and is closed").containsExactly(-1, file);
        assertThat(isEventfd(one)).isFalse();
        assertThat(isEventfd(two)).as("guards the line above").isTrue();
        mine.remove((Integer) one);
        assertThat(isMasked(0)).isTrue();
        MemorySegment shortBody = arena.allocate(16);
        assertThat(interrupts.set(shortBody, new int[0])).isEqualTo(-Errno.EINVAL);
    }

    @Test
    void aBlockingCounterIsMadeNonBlocking() throws IOException {
        int fd = (int) kernel.eventfd(0, Kernel.EFD_CLOEXEC);
        Path flags = Path.of("/proc/self/fdinfo/" + fd);
        assertThat(Files.readString(flags)).contains("02000002");
        assertThat(set(EVENTFD | TRIGGER, MSIX, 0, 1, fd)).isZero();
        assertThat(Files.readString(flags)).contains("02004002");
    }
}
