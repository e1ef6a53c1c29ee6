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

    private static Receipt copy(Session session, String from, String to, long blocks) {
        return session.copy(
                new Extent(from, 1, 0L, blocks),
                new Extent(to, 1, 0L, blocks),
                CopyOptions.DEFAULTS.withSlots(CHUNK_BYTES, 64));
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
            long start = allocated();
            Receipt small = copy(session, "emu:a", "emu:b", BLOCKS);
            long middle = allocated();
            Receipt large = copy(session, "emu:a", "emu:b", 2 * BLOCKS);
            long end = allocated();
            assertThat(large.chunkBytes()).isEqualTo(CHUNK_BYTES);
            long more = (end - middle) - (middle - start);
            long chunks = (large.bytesCopied() - small.bytesCopied()) / CHUNK_BYTES;
            // a copy has a cost of its own; 2048 chunks more, read twice, written and compared
            assertThat(chunks).isEqualTo(2048);
            assertThat((double) more / chunks).as("bytes for a chunk").isLessThan(2.0);
        }
    }
}
