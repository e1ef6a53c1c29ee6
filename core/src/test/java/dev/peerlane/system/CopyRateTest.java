package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.PeerMemory;
import dev.peerlane.emulator.CmbSpec;
import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.open.Extent;
import dev.peerlane.open.Session;
import dev.peerlane.p2p.BufferChoice;
import dev.peerlane.p2p.CancelFlag;
import dev.peerlane.p2p.CopyOptions;
import dev.peerlane.p2p.Load;
import dev.peerlane.p2p.LoadResult;
import dev.peerlane.p2p.LoadRun;
import dev.peerlane.p2p.Receipt;
import dev.peerlane.p2p.VerifyMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * How fast a long copy is beside its two halves alone: drives of 400 MB/s and 80 µs. Time is
 * virtual, so every figure repeats exactly.
 */
class CopyRateTest {
    private static final long RATE = 400_000_000;
    private static final long LATENCY_NANOS = 80_000;
    private static final long CHUNKS = 2048;
    private static final int DEPTH = 32;

    private static DriveSpec drive(String name, long bytes) {
        return DriveSpec.named(name)
                .memory(bytes, 512)
                .bytesPerSecond(RATE)
                .latencyNanos(LATENCY_NANOS)
                .cmb(CmbSpec.of(16L << 20))
                .build();
    }

    private static Session session(long bytes) {
        FabricSpec fabric =
                FabricSpec.builder()
                        .seed(5)
                        .time(FabricSpec.Time.VIRTUAL)
                        .drive(drive("a", bytes))
                        .drive(drive("b", bytes))
                        .build();
        return Session.of(new EmulatedFabric(fabric));
    }

    private static double alone(
            Session session, String device, Load.Command command, int chunk, PeerMemory memory) {
        Namespace namespace = session.controller(device).namespace(1);
        Load load =
                new Load(
                        command,
                        chunk,
                        DEPTH,
                        0,
                        namespace.blockCount(),
                        20_000_000,
                        1_000_000_000,
                        7);
        try (NvmeBlockPort port = namespace.port(DEPTH)) {
            LoadResult result =
                    LoadRun.run(
                            load,
                            port,
                            memory,
                            session.fabric().dma(),
                            session.fabric().clock(),
                            new CancelFlag());
            assertThat(result.voidReason()).isEmpty();
            return result.bytesPerSecond();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 16384, 131072})
    void aLongCopyReaches95PercentOfItsSlowerHalf(int chunk) {
        try (Session session = session(CHUNKS * chunk)) {
            ControllerMemoryBuffer memory = session.controller("emu:b").requireCmb();
            memory.enable(session.fabric().dma());
            double reads = alone(session, "emu:a", Load.Command.READ, chunk, memory);
            double writes = alone(session, "emu:b", Load.Command.WRITE, chunk, memory);
            CopyOptions options =
                    CopyOptions.DEFAULTS
                            .withBuffer(BufferChoice.TARGET)
                            .withVerify(VerifyMode.NONE)
                            .withSlots(chunk, 0)
                            .withSeed(3);
            Receipt receipt = session.copy(Extent.of("emu:a"), Extent.of("emu:b"), options);
            double ratio = receipt.bytesPerSecond() / Math.min(reads, writes);
            assertThat(ratio)
                    .as(
                            "copy %.1f MB/s, reads %.1f, writes %.1f",
                            receipt.bytesPerSecond() / 1e6, reads / 1e6, writes / 1e6)
                    .isGreaterThanOrEqualTo(0.95);
        }
    }
}
