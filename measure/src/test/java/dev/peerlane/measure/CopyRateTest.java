package dev.peerlane.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.Share;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares the rate of a copy with the rates of its two halves alone: Reads of the source into the
 * memory that carries the data, and Writes of the target from that memory. The drives do 400 MB/s
 * after a latency of 80 µs, and take 128 KiB per command. Time is virtual, so every figure repeats
 * exactly. A copy lasts a second, or a quarter of one over packets, because its first and last
 * chunk, some milliseconds each, do not overlap with others.
 */
@Tag("long")
class CopyRateTest {
    private static final long RATE = 400_000_000;
    private static final long LATENCY_NANOS = 80_000;
    private static final long CMB_BYTES = 16L << 20;
    private static final int[] CHUNKS = {4096, 16_384, 65_536, 131_072};
    private static final long ALONE_NANOS = 20_000_000;

    /** One case: the kind of fabric, the owner of the CMB, and the length of a chunk. */
    private record Case(boolean packets, String owner, int chunk) {
        long bytes() {
            long bytes = packets ? RATE / 4 : RATE;
            return bytes / CHUNKS[CHUNKS.length - 1] * CHUNKS[CHUNKS.length - 1];
        }

        BufferChoice buffer() {
            return switch (owner) {
                case "emu:a" -> BufferChoice.SOURCE;
                case "emu:b" -> BufferChoice.TARGET;
                default -> BufferChoice.device(owner);
            };
        }
    }

    private static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (boolean packets : new boolean[] {false, true}) {
            for (String owner : List.of("emu:a", "emu:b", "emu:c")) {
                for (int chunk : CHUNKS) {
                    cases.add(new Case(packets, owner, chunk));
                }
            }
        }
        return Share.of(cases);
    }

    private static DriveModel drive(String name, long bytes) {
        return DriveModel.named(name)
                .memory(bytes, 512)
                .bytesPerSecond(RATE)
                .latencyNanos(LATENCY_NANOS)
                .cmb(CmbModel.of(CMB_BYTES))
                .build();
    }

    private static Session session(Case c) {
        FabricModel fabric =
                FabricModel.builder()
                        .seed(5)
                        .time(FabricModel.Time.VIRTUAL)
                        .drive(drive("a", c.bytes()))
                        .drive(drive("b", c.bytes()))
                        .drive(drive("c", 1 << 20))
                        .port(
                                PortModel.switchOf(
                                        PortModel.drive("a"),
                                        PortModel.drive("b"),
                                        PortModel.drive("c")))
                        .packets(c.packets() ? PacketModel.DEFAULTS : null)
                        .build();
        return Session.of(new EmulatedFabric(fabric));
    }

    /** Returns how many commands keep the device busy at this length. */
    private static int depth(int chunk) {
        return chunk > 16_384 ? 8 : 32;
    }

    private static double alone(
            Session session, String device, Load.Command command, int chunk, PeerMemory memory) {
        Namespace namespace = session.controller(device).namespace(1);
        int depth = depth(chunk);
        Load load =
                new Load(
                        command,
                        chunk,
                        depth,
                        0,
                        namespace.blockCount(),
                        ALONE_NANOS,
                        1_000_000_000,
                        7);
        try (NvmeBlockPort port = namespace.port(depth)) {
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
    @MethodSource("cases")
    void aCopyReaches95PercentOfItsSlowerHalf(Case c) {
        try (Session session = session(c)) {
            ControllerMemoryBuffer memory = session.controller(c.owner()).requireCmb();
            memory.enable(session.fabric().dma());
            double reads = alone(session, "emu:a", Load.Command.READ, c.chunk(), memory);
            double writes = alone(session, "emu:b", Load.Command.WRITE, c.chunk(), memory);
            CopyOptions options =
                    CopyOptions.DEFAULTS
                            .withBuffer(c.buffer())
                            .withVerify(VerifyMode.NONE)
                            .withSlots(c.chunk(), 0)
                            .withWipe(false)
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
