package dev.peerlane.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests memory that stops answering, simulated by a file that is truncated under its mapping. */
class MappedBarTest {
    private static final int BYTES = 16384;
    private static final int WARM = 100_000;

    @TempDir private Path directory;

    @Test
    void memoryThatStopsAnsweringIsAFaultOfBulkAccessesAndNoCrash() throws IOException {
        Kernel kernel = KernelCalls.instance();
        Path file = Files.write(directory.resolve("bar"), new byte[BYTES]);
        int fd = (int) kernel.open(file.toString(), Kernel.O_RDWR);
        long base =
                kernel.mmap(BYTES, Kernel.PROT_READ | Kernel.PROT_WRITE, Kernel.MAP_SHARED, fd, 0);
        Region region = new Region(2, BYTES, 0, List.of(new Span(0, BYTES - 1)), true);
        MappedBar bar = new MappedBar("0000:01:00.0", region, 0x4000_0000L, kernel, base);
        bar.fill(0, BYTES, 0x01020304);
        assertThat(bar.load32(8192)).isEqualTo(0x01020304);
        try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
            cut.setLength(0);
        }
        try (Arena arena = Arena.ofConfined()) {
            var target = arena.allocate(BYTES, 8);
            for (Runnable access :
                    List.<Runnable>of(
                            () -> bar.load(0, target),
                            () -> bar.store(0, target),
                            () -> bar.fill(0, BYTES, 0))) {
                assertThatThrownBy(access::run)
                        .isInstanceOfSatisfying(
                                PeerlaneException.class,
                                e -> {
                                    assertThat(e.code()).isEqualTo("device-memory-fault");
                                    assertThat(e).hasMessageContaining("BAR2 of 0000:01:00.0");
                                });
            }
        }
        bar.unmap();
        assertThat(kernel.close(fd)).isZero();
    }

    /** Compiled code notices a SIGBUS late, so the methods are compiled before the SIGBUS. */
    @Test
    void compiledAccessesReadAllOnesOrThrowToo() throws IOException {
        Kernel kernel = KernelCalls.instance();
        Path file = Files.write(directory.resolve("bar"), new byte[BYTES]);
        int fd = (int) kernel.open(file.toString(), Kernel.O_RDWR);
        long base =
                kernel.mmap(BYTES, Kernel.PROT_READ | Kernel.PROT_WRITE, Kernel.MAP_SHARED, fd, 0);
        Region region = new Region(2, BYTES, 0, List.of(new Span(0, BYTES - 1)), true);
        MappedBar bar = new MappedBar("0000:01:00.0", region, 0x4000_0000L, kernel, base);
        for (int i = 0; i < WARM; i++) {
            assertThat(faults(bar)).isZero();
        }
        try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
            cut.setLength(0);
        }
        for (int i = 0; i < 1_000; i++) {
            assertThat(faults(bar)).isEqualTo(4);
        }
        bar.unmap();
        assertThat(kernel.close(fd)).isZero();
    }

    private static int faults(MappedBar bar) {
        int faults = bar.load32(64) == -1 ? 1 : 0;
        faults += bar.load64(128) == -1 ? 1 : 0;
        try {
            bar.store32(64, 1);
        } catch (PeerlaneException e) {
            faults++;
        }
        try {
            bar.store64(128, 1);
        } catch (PeerlaneException e) {
            faults++;
        }
        return faults;
    }
}
