package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import dev.peerlane.vfiouser.Mapping;
import dev.peerlane.vfiouser.Protocol;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests interrupts over the socket: a client's requests, and the eventfd at which it waits. */
class InterruptMessagesTest extends RawClient {
    private static final int MSIX_CONTROL = 0x82;
    private final Kernel kernel = KernelCalls.instance();
    private int event = -1;

    @AfterEach
    void closeEvent() {
        if (event >= 0) {
            kernel.close(event);
        }
    }

    private int setEvents(int start, int count, int... fds) {
        return setInterrupts(Protocol.IRQ_DATA_EVENTFD | Protocol.IRQ_TRIGGER, start, count, fds);
    }

    private int setInterrupts(int flags, int start, int count, int... fds) {
        int[] words = {Protocol.SET_IRQS_BYTES, flags, Protocol.IRQ_MSIX, start, count};
        for (int i = 0; i < words.length; i++) {
            message.set(JAVA_INT_UNALIGNED, 16 + 4L * i, words[i]);
        }
        return send(Protocol.DEVICE_SET_IRQS, 16 + Protocol.SET_IRQS_BYTES, fds);
    }

    private void store(int region, long offset, int count, long value) {
        message.set(JAVA_LONG_UNALIGNED, 16, offset);
        message.set(JAVA_INT_UNALIGNED, 24, region);
        message.set(JAVA_INT_UNALIGNED, 28, count);
        message.set(JAVA_LONG_UNALIGNED, 32, value);
        assertThat(send(Protocol.REGION_WRITE, 32 + count)).isZero();
    }

    private long counted() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_LONG);
            return kernel.read(event, value) < 0 ? 0 : value.get(JAVA_LONG, 0);
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 0", "1, 0, 0", "2, 3, 17", "3, 0, 0", "4, 0, 0"})
    void onlyMsixIsOfferedWithOneVectorForEachCompletionQueue(int kind, int flags, int count) {
        greet();
        message.set(JAVA_INT_UNALIGNED, 16, 16);
        message.set(JAVA_INT_UNALIGNED, 20, 0);
        message.set(JAVA_INT_UNALIGNED, 24, kind);
        message.set(JAVA_INT_UNALIGNED, 28, 0);
        assertThat(send(Protocol.DEVICE_GET_IRQ_INFO, 32)).isZero();
        assertThat(answer.get(JAVA_INT_UNALIGNED, 20)).isEqualTo(flags);
        assertThat(answer.get(JAVA_INT_UNALIGNED, 28)).isEqualTo(count);
    }

    @Test
    void aCompletionSignalsTheEventfdWhichSurvivesAReset() {
        greet();
        event = (int) kernel.eventfd(0, Kernel.EFD_NONBLOCK | Kernel.EFD_CLOEXEC);
        assertThat(setEvents(0, 1, event)).isZero();
        store(Protocol.CONFIG_REGION, MSIX_CONTROL, 2, 0x8000);
        assertThat(identify()).as("an interrupt of the admin queue").isEqualTo(1);
        assertThat(send(Protocol.DEVICE_RESET, 16)).isZero();
        store(Protocol.CONFIG_REGION, MSIX_CONTROL, 2, 0x8000);
        assertThat(identify()).isEqualTo(1);
        store(Protocol.CONFIG_REGION, MSIX_CONTROL, 2, 0);
        assertThat(identify()).as("MSI-X is off").isZero();
        store(Protocol.CONFIG_REGION, MSIX_CONTROL, 2, 0x8000);
        assertThat(setEvents(0, 1)).isZero();
        assertThat(identify()).as("the eventfd is taken away").isZero();
    }

    /** Enables the controller and runs one command. Returns the count of the eventfd. */
    private long identify() {
        int fd = (int) MemoryFile.create("queues", 16384);
        try (Mapping queues = Mapping.of(fd, 0, 16384, "queues")) {
            assertThat(map(0, 0x10_0000, 16384, fd)).isZero();
            store(Protocol.CONFIG_REGION, 4, 2, 6);
            store(0, Reg.CC, 4, 0);
            store(0, Reg.AQA, 4, 0x001f_001f);
            store(0, Reg.ASQ, 8, 0x10_0000);
            store(0, Reg.ACQ, 8, 0x10_1000);
            store(0, Reg.CC, 4, 0x0046_0001);
            Sqe.putCdw0(queues.segment(), 0, Sqe.cdw0(AdminOpcode.IDENTIFY, 0));
            Sqe.putPrp1(queues.segment(), 0, 0x10_2000);
            queues.segment().set(JAVA_INT_UNALIGNED, Sqe.CDW10, 1);
            store(0, Reg.DOORBELLS, 4, 1);
            assertThat(queues.segment().get(JAVA_LONG, 0x1008) >>> 48).isEqualTo(1);
            assertThat(unmap(0, 0x10_0000, 16384)).isZero();
        } finally {
            kernel.close(fd);
        }
        return counted();
    }

    @Test
    void impossibleRequestsAreAnsweredWithAnErrorAndTheClientStays() {
        greet();
        event = (int) kernel.eventfd(0, Kernel.EFD_NONBLOCK | Kernel.EFD_CLOEXEC);
        assertThat(setEvents(0, 2, event)).isEqualTo(Errno.EINVAL);
        assertThat(setEvents(17, 1, event)).isEqualTo(Errno.EINVAL);
        assertThat(setEvents(0, 18)).isEqualTo(Errno.EINVAL);
        assertThat(setInterrupts(0, 0, 1)).isEqualTo(Errno.EINVAL);
        assertThat(counted()).isZero();
        assertThat(server.clients()).isOne();
        assertThat(setEvents(16, 1, event)).isZero();
        assertThat(setInterrupts(Protocol.IRQ_DATA_NONE | Protocol.IRQ_TRIGGER, 16, 1)).isZero();
        assertThat(counted()).isOne();
    }
}
