package dev.peerlane.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests real system calls of the kernel that the tests run on. */
class KernelCallsTest {
    private final Kernel kernel = KernelCalls.instance();

    @TempDir private Path directory;

    @Test
    void aFileIsWrittenAndReadAtItsOffsets() throws IOException {
        Path file = Files.write(directory.resolve("f"), new byte[64]);
        try (Arena arena = Arena.ofConfined()) {
            int fd = (int) kernel.open(file.toString(), Kernel.O_RDWR | Kernel.O_CLOEXEC);
            assertThat(fd).isPositive();
            MemorySegment word = arena.allocateFrom(JAVA_LONG, 0x1122334455667788L);
            assertThat(kernel.pwrite(fd, word, 16)).isEqualTo(8);
            word.set(JAVA_LONG, 0, 0);
            assertThat(kernel.pread(fd, word, 16)).isEqualTo(8);
            assertThat(word.get(JAVA_LONG, 0)).isEqualTo(0x1122334455667788L);
            assertThat(kernel.close(fd)).isZero();
            assertThat(kernel.close(fd)).isEqualTo(-9);
        }
        assertThat(Files.readAllBytes(file)[16]).isEqualTo((byte) 0x88);
    }

    @Test
    void aMappingSharesTheFilesBytes() throws IOException {
        Path file = Files.write(directory.resolve("f"), new byte[8192]);
        int fd = (int) kernel.open(file.toString(), Kernel.O_RDWR);
        long address =
                kernel.mmap(
                        4096, Kernel.PROT_READ | Kernel.PROT_WRITE, Kernel.MAP_SHARED, fd, 4096);
        assertThat(address).isPositive();
        try (Arena arena = Arena.ofConfined()) {
            Memory.at(address, 4096, arena).set(JAVA_BYTE, 5, (byte) 77);
        }
        assertThat(kernel.munmap(address, 4096)).isZero();
        assertThat(kernel.close(fd)).isZero();
        assertThat(Files.readAllBytes(file)[4096 + 5]).isEqualTo((byte) 77);
    }

    @Test
    void anEventCounterCountsAndCanBeWaitedFor() {
        try (Arena arena = Arena.ofConfined()) {
            int event = (int) kernel.eventfd(0, Kernel.EFD_NONBLOCK | Kernel.EFD_CLOEXEC);
            MemorySegment counter = arena.allocate(JAVA_LONG);
            assertThat(kernel.pollIn(event, 0)).isZero();
            assertThat(kernel.read(event, counter)).isEqualTo(-Errno.EAGAIN);
            int set = (int) kernel.eventfd(3, Kernel.EFD_NONBLOCK);
            assertThat(kernel.pollIn(set, 1000)).isEqualTo(1);
            assertThat(kernel.read(set, counter)).isEqualTo(8);
            assertThat(counter.get(JAVA_LONG, 0)).isEqualTo(3);
            assertThat(kernel.close(event)).isZero();
            assertThat(kernel.close(set)).isZero();
        }
    }

    @Test
    void theLimitOfLockedMemoryIsThatInProcfs() throws IOException {
        String limits = Files.readString(Path.of("/proc/self/limits"));
        String line =
                limits.lines().filter(l -> l.startsWith("Max locked memory")).findFirst().get();
        String soft = line.substring(17).strip().split(" +", -1)[0];
        long expected = soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft);
        assertThat(kernel.lockLimitBytes()).isEqualTo(expected);
    }

    @Test
    void anUnknownRequestIsRefused() throws IOException {
        Path file = Files.write(directory.resolve("f"), new byte[1]);
        int fd = (int) kernel.open(file.toString(), Kernel.O_RDONLY);
        Request request = Request.io("VFIO_GET_API_VERSION", ';', 100);
        assertThat(request.number()).isEqualTo(0x3b64);
        assertThat(kernel.ioctl(fd, request, 0)).isEqualTo(-Errno.ENOTTY);
        assertThat(kernel.close(fd)).isZero();
    }

    @Test
    void anErrorNamesCallObjectNumberAndRemedy() {
        long result = kernel.open(directory.resolve("missing").toString(), Kernel.O_RDWR);
        assertThatThrownBy(() ->
                        KernelException.check(result, "no-file", "open", "missing", "Make it"))
                .isInstanceOfSatisfying(
                        KernelException.class,
                        e -> {
                            assertThat(e.errno()).isEqualTo(Errno.ENOENT);
                            assertThat(e.call()).isEqualTo("open");
                            assertThat(e.explain())
                                    .isEqualTo(
                                            "missing: open failed with ENOENT, no such file or"
                                                    + " directory. Make it.");
                        });
        assertThat(KernelException.check(7, "c", "open", "o", "r")).isEqualTo(7);
        assertThat(Errno.text(4095)).isEqualTo("errno 4095");
    }

    @ParameterizedTest
    @CsvSource({"Linux, aarch64", "Mac OS X, x86_64", "Windows 11, amd64", "Linux, x86"})
    void otherPlatformsAreRefusedByName(String system, String processor) {
        assertThatThrownBy(() -> KernelCalls.instance(system, processor))
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo("platform-unsupported");
                            assertThat(e).hasMessageContaining(processor);
                        });
    }

    @Test
    void aSegmentOnTheHeapIsRefusedBeforeTheCall() {
        MemorySegment heap = MemorySegment.ofArray(new byte[8]);
        assertThatThrownBy(() -> kernel.read(0, heap)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void lockedMemoryIsCountedByTheKernel() throws IOException {
        long address =
                kernel.mmap(
                        4096,
                        Kernel.PROT_READ | Kernel.PROT_WRITE,
                        Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS,
                        -1,
                        0);
        assertThat(kernel.mlock(address, 4096)).isZero();
        String status = Files.readString(Path.of("/proc/self/status"));
        assertThat(status).containsPattern("VmLck:\\s+[1-9]");
        assertThat(kernel.munmap(address, 4096)).isZero();
    }
}
