package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.peerlane.emulator.CmbSpec;
import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.open.Extent;
import dev.peerlane.open.Session;
import dev.peerlane.p2p.CopyOptions;
import dev.peerlane.p2p.Receipt;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** A copy's cost in objects: engine, driver and emulator together. */
class EngineAllocationTest {
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

    /** Returns how many bytes a copy of so many blocks allocates. */
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

    private static DriveSpec drive(String name) {
        return DriveSpec.named(name).memory(16 << 20, 512).cmb(CmbSpec.of(1 << 20)).build();
    }

    @Test
    void chunksOfACopyAllocateNothing() {
        FabricSpec spec =
                FabricSpec.builder()
                        .drive(drive("a"))
                        .drive(drive("b"))
                        .time(FabricSpec.Time.VIRTUAL)
                        .build();
        try (Session session = Session.of(new EmulatedFabric(spec))) {
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
