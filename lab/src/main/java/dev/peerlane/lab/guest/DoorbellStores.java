package dev.peerlane.lab.guest;

import dev.peerlane.mem.Mmio;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * Writes doorbells of unused queues through a mapping of the registers like the VFIO backend's.
 * QEMU's trace on the host shows what arrives at the device.
 */
public final class DoorbellStores {
    /** The number of stores, enough to trigger every compiler tier. */
    public static final int STORES = 30_000;

    /** The number of loads. */
    public static final int LOADS = 1_000;

    private static final Path FUNCTIONS = Path.of("/sys/bus/pci/devices");

    private DoorbellStores() {}

    /** Stores 1, 2, 3 … to a doorbell, then stores 8 bytes, then loads from the next doorbell. */
    static String run(long offset) throws IOException {
        Path function = nvmeFunction();
        Files.writeString(function.resolve("enable"), "1");
        try (Arena arena = Arena.ofConfined();
                FileChannel file =
                        FileChannel.open(
                                function.resolve("resource0"),
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE)) {
            MemorySegment registers = file.map(MapMode.READ_WRITE, 0, file.size(), arena);
            long doorbell = registers.address() + offset;
            for (int i = 1; i <= STORES; i++) {
                Mmio.store32Release(doorbell, i);
            }
            Mmio.store64Release(doorbell, STORES + 1L);
            for (int i = 0; i < LOADS; i++) {
                Mmio.load32Acquire(doorbell + 8);
            }
            Mmio.load64Acquire(doorbell + 8);
        }
        return function.getFileName() + ", doorbell at " + Long.toHexString(offset);
    }

    private static Path nvmeFunction() throws IOException {
        try (Stream<Path> all = Files.list(FUNCTIONS)) {
            List<Path> found = all.filter(DoorbellStores::isFreeNvme).sorted().toList();
            if (found.isEmpty()) {
                throw new IOException("no NVMe function without a driver in " + FUNCTIONS);
            }
            return found.get(0);
        }
    }

    private static boolean isFreeNvme(Path function) {
        try {
            return Files.readString(function.resolve("class")).strip().equals("0x010802")
                    && !Files.exists(function.resolve("driver"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
