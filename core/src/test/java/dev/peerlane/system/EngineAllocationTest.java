package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A copy's cost in objects: engine, driver and emulator together. */
class EngineAllocationTest {
    private static final int BYTES = 16 << 20;
    private static final int BLOCKS = 8 * 2048;
    private static final int CHUNK_BYTES = 4096;

    /**
     * How often each is measured; the least counts. What a chunk allocates is in each of them, what
     * the compiler does (an object that it no longer keeps off the heap) or a table that grows in
     * one only.
     */
    private static final int ROUNDS = 5;

    private static Receipt copy(Session session, String from, String to, long blocks) {
        return session.copy(
                new Extent(from, 1, 0L, blocks),
                new Extent(to, 1, 0L, blocks),
                CopyOptions.DEFAULTS.withSlots(CHUNK_BYTES, 64));
    }

    /** Returns the number of bytes that a copy of that many blocks allocates. */
    private static long cost(Session session, long blocks) {
        long before = allocated();
        Receipt receipt = copy(session, "emu:a", "emu:b", blocks);
        long bytes = allocated() - before;
        assertThat(receipt.chunkBytes()).isEqualTo(CHUNK_BYTES);
        assertThat(receipt.bytesCopied()).isEqualTo(blocks * 512);
        return bytes;
    }

    private static long allocated() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return threads.getThreadAllocatedBytes(Thread.currentThread().threadId());
    }

    private static DriveModel drive(String name, @Nullable Path folder) throws IOException {
        DriveModel.Builder drive = DriveModel.named(name).cmb(CmbModel.of(1 << 20));
        if (folder == null) {
            return drive.memory(BYTES, 512).build();
        }
        Path image = folder.resolve(name);
        Files.write(image, new byte[BYTES]);
        return drive.namespace(NamespaceModel.image(image, 512)).build();
    }

    @Test
    void chunksOfACopyAllocateNothing() throws IOException {
        chunksAllocateNothing(null, FabricModel.Transfers.PIECES);
    }

    @Test
    void chunksThatMoveInRunsAllocateNothing() throws IOException {
        chunksAllocateNothing(null, FabricModel.Transfers.RUNS);
    }

    @Test
    void chunksOfACopyBetweenImagesAllocateNothing(@TempDir Path folder) throws IOException {
        chunksAllocateNothing(folder, FabricModel.Transfers.PIECES);
    }

    private static void chunksAllocateNothing(
            @Nullable Path folder, FabricModel.Transfers transfers) throws IOException {
        FabricModel model =
                FabricModel.builder()
                        .drive(drive("a", folder))
                        .drive(drive("b", folder))
                        .time(FabricModel.Time.VIRTUAL)
                        .transfers(transfers)
                        .build();
        try (Session session = Session.of(new EmulatedFabric(model))) {
            // every block of both media is there afterwards
            copy(session, "emu:b", "emu:a", 2 * BLOCKS);
            copy(session, "emu:a", "emu:b", 2 * BLOCKS);
            long small = Long.MAX_VALUE;
            long large = Long.MAX_VALUE;
            for (int round = 0; round < ROUNDS; round++) {
                small = Math.min(small, cost(session, BLOCKS));
                large = Math.min(large, cost(session, 2 * BLOCKS));
            }
            // a copy has a cost of its own; 2048 chunks more, read twice, written and compared
            assertThat((double) (large - small) / 2048).as("bytes for a chunk").isLessThan(1.0);
        }
    }
}
