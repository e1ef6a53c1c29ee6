package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.Fault.Kind;
import dev.peerlane.emulator.model.PacketModel;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Writes to a peer's memory that get lost, one in the copy and one where the verification could
 * miss the first: a copy that is said to be verified is the source's, byte for byte.
 */
class LostWritesTest {
    private static final int SIZE = 512 << 10;
    private static final int CMB_BYTES = 128 << 10;
    private static final int BLOCK = 512;
    private static final int PAGE = 4096;
    private static final Set<String> FINDS =
            Set.of("ok", "peer-writes-lost", "peer-data-missing", "verify-mismatch");

    private final byte[] source = bytes(1);
    private final byte[] before = bytes(2);

    /** Both passes go through the same drives; what befell one copy is mended before the next. */
    private final class World implements AutoCloseable {
        private final EmulatedFabric fabric;
        private final Session session;
        private final Map<String, Integer> ends = new TreeMap<>();
        private @Nullable Receipt last;

        World(@Nullable PacketModel packets, Fault... faults) {
            FabricModel.Builder model =
                    FabricModel.builder().time(FabricModel.Time.VIRTUAL).packets(packets).seed(5);
            for (String name : List.of("a", "b", "c")) {
                model.drive(
                        DriveModel.named(name)
                                .memory(SIZE, BLOCK)
                                .cmb(CmbModel.of(CMB_BYTES))
                                .build());
            }
            for (Fault fault : faults) {
                model.fault(fault);
            }
            fabric = new EmulatedFabric(model.build());
            fabric.controller("a").medium(1, source);
            session = Session.of(fabric);
        }

        /** Returns how it ended; an end that claims more than there is fails the test. */
        String copy(CopyOptions options, long bytes, Fault... faults) {
            if (faults.length > 0) {
                fabric.repair();
            }
            fabric.controller("b").medium(1, before);
            for (Fault fault : faults) {
                fabric.arm(fault);
            }
            String end = "ok";
            try {
                last =
                        session.copy(
                                new Extent("emu:a", 1, 0L, bytes / BLOCK),
                                new Extent("emu:b", 1, 0L, bytes / BLOCK),
                                options);
                int wrong =
                        Arrays.mismatch(
                                fabric.controller("b").medium(1),
                                0,
                                (int) bytes,
                                source,
                                0,
                                (int) bytes);
                assertThat(wrong)
                        .as(
                                "%s with %s: first wrong byte of what is said to be good (%s)",
                                options, Arrays.toString(faults), last.verify())
                        .isEqualTo(-1);
            } catch (CopyException e) {
                last = e.receipt();
                end = e.code();
            }
            ends.merge(end, 1, Integer::sum);
            return end;
        }

        boolean happened(Fault fault) {
            return fabric.happened().contains(fault);
        }

        @Override
        public void close() {
            session.close();
        }
    }

    private static byte[] bytes(long seed) {
        byte[] bytes = new byte[SIZE];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    private static Fault lost(int occasion) {
        return Fault.at(Kind.DROPPED_WRITE, "a").withOccasion(occasion);
    }

    private static CopyOptions options(int chunk, int slots) {
        return CopyOptions.DEFAULTS
                .withBuffer(BufferChoice.TARGET)
                .withSlots(chunk, slots)
                .withSeed(3);
    }

    @Test
    void noPairOfLossesIsTakenForAVerifiedCopyOfChunksThatShareAPage() {
        try (World world = new World(null)) {
            for (int first = 1; first <= 7; first++) {
                for (int second = 8; second <= 14; second++) {
                    world.copy(options(7168, 2), 2 * 7168, lost(first), lost(second));
                    assertThat(world.happened(lost(first))).isTrue();
                }
            }
            assertThat(FINDS).containsAll(world.ends.keySet());
            assertThat(world.ends).containsKeys("peer-writes-lost", "verify-mismatch");
        }
    }

    /** Chunk lengths, numbers of slots, and where in a run the two losses are. */
    @ParameterizedTest
    @ValueSource(ints = {512, 1536, 3584, 4096, 4608, 7168, 11776})
    void noPairOfLossesIsTakenForAVerifiedCopy(int chunk) {
        try (World world = new World(null)) {
            SplittableRandom random = new SplittableRandom(chunk);
            for (int slots = 1; slots <= 9; slots += slots < 4 ? 1 : 5) {
                long bytes = Math.min((2L * slots + 1) * chunk + BLOCK, SIZE);
                int first = 0;
                do {
                    first += 1 + random.nextInt(2 * slots);
                    // near the same place of the second pass, and anywhere
                    for (int i = 0; i < 3; i++) {
                        int near = (int) (bytes / Math.min(chunk, PAGE)) + i;
                        int second = first + 1 + (i < 2 ? near : random.nextInt(2 * near + 2));
                        CopyOptions options = options(chunk, slots).withSeed(random.nextLong());
                        world.copy(options, bytes, lost(first), lost(second));
                    }
                } while (world.happened(lost(first)));
            }
            assertThat(FINDS).containsAll(world.ends.keySet());
            assertThat(world.ends).containsKeys("ok", "verify-mismatch");
        }
    }

    /** The fence alone, with nothing behind it. */
    @ParameterizedTest
    @ValueSource(ints = {1536, 3584, 7168, 11776})
    void aCanaryFindsEveryLostPage(int chunk) {
        try (World world = new World(null)) {
            for (int slots = 1; slots <= 3; slots++) {
                CopyOptions options =
                        options(chunk, slots)
                                .withFence(FenceChoice.CANARY)
                                .withVerify(VerifyMode.NONE);
                for (int n = 1; ; n++) {
                    String end = world.copy(options, 3L * chunk, lost(n));
                    if (!world.happened(lost(n))) {
                        break;
                    }
                    assertThat(end).isEqualTo("peer-writes-lost");
                }
            }
        }
    }

    /** Packets of 256 bytes: most of them hold no word that anybody planted. */
    @ParameterizedTest
    @CsvSource({"7168, 2, 4", "4096, 1, 5", "8192, 8, 10", "4608, 9, 12"})
    void noPairOfLostPacketsIsTakenForAVerifiedCopy(int chunk, int slots, int chunks) {
        try (World world = new World(PacketModel.DEFAULTS)) {
            SplittableRandom random = new SplittableRandom(chunk);
            int bytes = chunks * chunk;
            int packets = bytes / 256;
            for (int i = 0; i < 15; i++) {
                // the same place of both passes, but for the sentinels' packets
                int first = 1 + random.nextInt(packets);
                int second = first + packets + random.nextInt(-2, 2 + packets / 16);
                CopyOptions options = options(chunk, slots).withSeed(random.nextLong());
                world.copy(options, bytes, lost(first), lost(second));
                assertThat(world.happened(lost(first))).isTrue();
            }
            assertThat(FINDS).containsAll(world.ends.keySet());
            assertThat(world.ends).containsKey("verify-mismatch");
        }
    }

    /** Bytes of the CMB that no write of a peer ever reaches, far from both ends of their page. */
    @ParameterizedTest
    @CsvSource({"4096, 1", "8192, 2", "7168, 3", "4096, 16"})
    void aHoleInsideAPageIsNotTakenForAVerifiedCopy(int chunk, int slots) {
        for (int at = 1024; at < chunk * slots; at += 5120) {
            Fault hole = Fault.at(Kind.CMB_HOLE, "b").withRange(at, 64);
            try (World world = new World(null, hole)) {
                String end = world.copy(options(chunk, slots), 3L * slots * chunk);
                assertThat(world.happened(hole)).isTrue();
                assertThat(end).as("hole at %d", at).isEqualTo("verify-mismatch");
            }
        }
    }
}
