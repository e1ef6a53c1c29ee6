package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.Share;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PacketModel.Forwarding;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.pci.RootComplex.Trust;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests what each fence achieves on the fabric of packets. Without the right fence, old bytes are
 * handed on within {@link #ENOUGH} seeds; with it, never in {@link #SEEDS}. The copies do not
 * verify themselves; the test compares the images.
 */
class StaleHandoffTest {
    private static final int SEEDS = Share.of(60);
    private static final int ENOUGH = 10;

    private static final int SIZE = 128 << 10;
    private static final Extent A = new Extent("emu:a", 1, null, null);
    private static final Extent B = new Extent("emu:b", 1, null, null);

    @TempDir private Path directory;
    private Path source;
    private Path target;
    private long faulted;
    private int blockBytes = 512;
    private boolean forced;

    @BeforeEach
    void images() throws IOException {
        source = directory.resolve("a.img");
        target = directory.resolve("b.img");
        byte[] data = new byte[SIZE];
        new SplittableRandom(29).nextBytes(data);
        Files.write(source, data);
    }

    /**
     * Returns a fabric on which data goes through the root complex; completions, doorbells and
     * loads do not.
     */
    private FabricModel.Builder twoWays(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Forwarding forwarding = random.nextBoolean() ? Forwarding.FULL : Forwarding.SLOW;
        PacketModel packets =
                PacketModel.DEFAULTS
                        .withMaxPayloadBytes(128 << random.nextInt(3))
                        .withForwarding(forwarding, 1_000 + random.nextLong(20_000))
                        .withHostStoreNanos(random.nextBoolean() ? 0 : 5_000);
        FabricModel.Builder fabric =
                FabricModel.builder().rootComplex(Trust.TRUSTED, Trust.TRUSTED).packets(packets);
        return random.nextBoolean()
                ? fabric.port(PortModel.drive("a")).port(PortModel.drive("b"))
                : fabric.port(
                        PortModel.switchOf(
                                PortModel.drive("a").withAcs(PortModel.ACS_REDIRECT),
                                PortModel.drive("b").withAcs(PortModel.ACS_REDIRECT)));
    }

    /**
     * Returns a fabric with both drives behind one switch. The route to the target is slow, so that
     * much data is in flight on it.
     */
    private static FabricModel.Builder oneSwitch(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        PacketModel.Link slow = new PacketModel.Link(200 + random.nextLong(4_000), 200_000_000L, 4);
        return FabricModel.builder()
                .packets(
                        PacketModel.DEFAULTS.withLinks(
                                PacketModel.DEFAULTS.link(), Map.of("b", slow)));
    }

    /** Returns a fabric with a second, slow route between the two drives. */
    private static FabricModel.Builder secondWay(PacketModel.Takes takes, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        PacketModel.Link slow = new PacketModel.Link(5_000 + random.nextLong(20_000), 1 << 30, 32);
        return FabricModel.builder()
                .packets(
                        PacketModel.DEFAULTS.withSecondWays(
                                List.of(new PacketModel.SecondWay("a", "b", takes, slow))));
    }

    private DriveModel drive(String name, Path image) {
        return DriveModel.named(name)
                .namespace(NamespaceModel.image(image, blockBytes))
                .cmb(CmbModel.of(128 << 10))
                .latencyNanos(3_000)
                .build();
    }

    private static CopyOptions options(FenceChoice fence, long seed) {
        return CopyOptions.DEFAULTS
                .withBuffer(BufferChoice.TARGET)
                .withFence(fence)
                .withVerify(VerifyMode.NONE)
                .withSlots(16 << 10, 4)
                .withWipe(false)
                .withSeed(seed);
    }

    /** Copies; returns whether old bytes were handed on. */
    private boolean stale(
            FabricModel.Builder fabric,
            FenceChoice planned,
            CopyJob.@Nullable Fences instead,
            long seed)
            throws IOException {
        Files.write(target, new byte[SIZE]);
        EmulatedFabric world =
                new EmulatedFabric(
                        fabric.seed(seed)
                                .drive(drive("a", source))
                                .drive(drive("b", target))
                                .build());
        try (Session session = Session.of(world)) {
            CopyPlan plan = session.plan(A, B, options(forced ? FenceChoice.NONE : planned, seed));
            if (forced) {
                plan = with(plan, planned);
            }
            CopyJob job = new CopyJob(plan, Surroundings.of(world), new CancelFlag());
            if (instead != null) {
                job.fences(instead);
            } else {
                assertThat(plan.fence()).isEqualTo(planned.label());
            }
            job.run(Progress.NONE);
        }
        faulted = world.traffic().orElseThrow().total().faulted();
        return Files.mismatch(source, target) >= 0;
    }

    /** Returns the same plan with a fence that the planner would not choose. */
    private static CopyPlan with(CopyPlan plan, FenceChoice fence) {
        return new CopyPlan(
                plan.request(),
                plan.kind(),
                plan.buffer(),
                plan.legs(),
                fence.label(),
                plan.verify(),
                plan.verifyBuffer(),
                plan.reasons(),
                plan.announcements());
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY", "READBACK"})
    void noFenceHoldsWhereSuccessiveWritesTakeTwoWays(FenceChoice fence) throws IOException {
        forced = true;
        for (PacketModel.Takes takes : List.of(PacketModel.Takes.ANY, PacketModel.Takes.PAGES)) {
            int found = 0;
            for (long seed = 1; seed <= ENOUGH; seed++) {
                found += stale(secondWay(takes, seed), fence, null, seed) ? 1 : 0;
            }
            // a canary is in every page, and all packets of a page take one route
            boolean holds = fence == FenceChoice.CANARY && takes == PacketModel.Takes.PAGES;
            assertThat(found > 0).as("%s, %s: %d stale", fence, takes, found).isEqualTo(!holds);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY", "READBACK"})
    void thePlannerTakesNoFenceWhereWritesTakeTwoWays(FenceChoice fence) {
        PeerlaneException e =
                catchThrowableOfType(
                        PeerlaneException.class,
                        () -> stale(secondWay(PacketModel.Takes.PAGES, 1), fence, null, 1));
        assertThat(e).hasMessageContaining("several routes, so no fence is sound");
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY", "READBACK"})
    void completionsMayTakeAnotherWay(FenceChoice fence) throws IOException {
        for (long seed = 1; seed <= SEEDS; seed++) {
            FabricModel.Builder fabric = secondWay(PacketModel.Takes.COMPLETIONS, seed);
            assertThat(stale(fabric, fence, null, seed)).as("seed %d", seed).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void theSourcesMemoryNeedsNoOrderSoItIsTaken(PacketModel.Takes takes) throws IOException {
        for (long seed = 1; seed <= ENOUGH; seed++) {
            Files.write(target, new byte[SIZE]);
            FabricModel.Builder fabric = secondWay(takes, seed).seed(seed);
            fabric.drive(drive("a", source)).drive(drive("b", target));
            try (Session session = Session.of(new EmulatedFabric(fabric.build()))) {
                Receipt receipt = session.copy(A, B, CopyOptions.DEFAULTS.withSeed(seed));
                boolean ordered = takes == PacketModel.Takes.COMPLETIONS;
                assertThat(receipt.buffer().kind())
                        .isEqualTo(ordered ? "target-cmb" : "source-cmb");
                assertThat(receipt.verify().method())
                        .isEqualTo(ordered ? "target-compare" : "host");
            }
            assertThat(Files.mismatch(source, target)).as("seed %d", seed).isEqualTo(-1);
        }
    }

    @Test
    void withoutAFenceOldBytesAreHandedOn() throws IOException {
        int found = 0;
        for (long seed = 1; seed <= ENOUGH; seed++) {
            found += stale(twoWays(seed), FenceChoice.NONE, null, seed) ? 1 : 0;
        }
        assertThat(found).as("stale copies in seeds 1 to %d", ENOUGH).isPositive();
    }

    @Test
    void aCanaryInTheLastBytesOnlyHandsOldBytesOn() throws IOException {
        int found = 0;
        for (long seed = 1; seed <= ENOUGH; seed++) {
            CopyJob.Fences last = over -> new LastBytesFence(over.buffer(), over.geometry());
            found += stale(twoWays(seed), FenceChoice.NONE, last, seed) ? 1 : 0;
        }
        assertThat(found).as("stale copies in seeds 1 to %d", ENOUGH).isPositive();
    }

    @Test
    void readingBackOverTwoWaysHandsOldBytesOn() throws IOException {
        int found = 0;
        for (long seed = 1; seed <= ENOUGH; seed++) {
            CopyJob.Fences readback = over -> new ReadbackFence(over.buffer(), over.geometry());
            found += stale(twoWays(seed), FenceChoice.NONE, readback, seed) ? 1 : 0;
        }
        assertThat(found).as("stale copies in seeds 1 to %d", ENOUGH).isPositive();
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 16384})
    void allThatASentinelBringsHasArrivedWhenItsMemoryIsGivenBack(int bytes) throws IOException {
        blockBytes = bytes;
        for (long seed = 1; seed <= SEEDS; seed++) {
            assertThat(stale(twoWays(seed), FenceChoice.SENTINEL, null, seed)).isFalse();
            assertThat(faulted).as("bytes that came too late, seed %d", seed).isZero();
        }
    }

    @Test
    void thePlannerRefusesToReadBackOverTwoWays() {
        PeerlaneException e =
                catchThrowableOfType(
                        PeerlaneException.class,
                        () -> stale(twoWays(1), FenceChoice.READBACK, null, 1));
        assertThat(e).hasMessageContaining("direct route across a switch");
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY"})
    void withTheRightFenceNoOldByteIsHandedOnOverTwoWays(FenceChoice fence) throws IOException {
        for (long seed = 1; seed <= SEEDS; seed++) {
            assertThat(stale(twoWays(seed), fence, null, seed)).as("seed %d", seed).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY", "READBACK"})
    void withAnyFenceNoOldByteIsHandedOnAcrossASwitch(FenceChoice fence) throws IOException {
        for (long seed = 1; seed <= SEEDS; seed++) {
            assertThat(stale(oneSwitch(seed), fence, null, seed)).as("seed %d", seed).isFalse();
        }
    }

    /**
     * Returns a fabric on which stores of the host take long, each its own time, and the source's
     * data does not.
     */
    private static FabricModel.Builder slowStores() {
        return FabricModel.builder().packets(PacketModel.DEFAULTS.withHostStoreNanos(60_000));
    }

    private static Fence fence(FenceChoice choice, Lane over, PeerBuffer buffer, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return choice == FenceChoice.CANARY
                ? new CanaryFence(over.reader().name(), buffer, over.geometry(), random)
                : new SentinelFence(
                        over.reader(),
                        buffer,
                        over.geometry(),
                        over.firstSlot() + over.geometry().slots(),
                        CopyOptions.DEFAULTS,
                        random);
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY"})
    void aPlantedWordIsThereBeforeTheSourceIsTold(FenceChoice choice) throws IOException {
        for (long seed = 1; seed <= ENOUGH; seed++) {
            CopyJob.Fences real = over -> fence(choice, over, over.buffer(), 7);
            assertThat(stale(slowStores(), FenceChoice.SENTINEL, real, seed)).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY"})
    void withoutReadingBackAPlantedWordDestroysWhatHasArrived(FenceChoice choice)
            throws IOException {
        int late = 0;
        for (long seed = 1; seed <= ENOUGH; seed++) {
            CopyJob.Fences blind = over -> fence(choice, over, new BlindBuffer(over.buffer()), 7);
            try {
                assertThat(stale(slowStores(), FenceChoice.SENTINEL, blind, seed)).isFalse();
            } catch (CopyException e) {
                assertThat(e.code()).isEqualTo("peer-writes-lost");
                late++;
            }
        }
        assertThat(late).as("copies that met a late canary, seeds 1 to %d", ENOUGH).isPositive();
    }

    /**
     * A fence that watches only the last page of a slot. It is not sound, because pages move in any
     * order.
     */
    private static final class LastBytesFence extends Fence {
        private static final long CANARY = 0x0123_4567_89ab_cdefL;
        private final PeerBuffer buffer;
        private final int chunkBytes;
        private final int[] bytesOf;
        private final IntQueue waiting;

        LastBytesFence(PeerBuffer buffer, Geometry geometry) {
            this.buffer = buffer;
            chunkBytes = geometry.chunkBytes();
            bytesOf = new int[geometry.slots()];
            waiting = new IntQueue(geometry.slots());
        }

        private long last(int slot) {
            return (long) slot * chunkBytes + bytesOf[slot] - 8;
        }

        @Override
        void reading(int slot, int bytes) {
            bytesOf[slot] = bytes;
            Poison.plantWord(buffer, last(slot), CANARY);
        }

        @Override
        void arrived(int slot, long lba) {
            waiting.add(slot);
        }

        @Override
        boolean step(long now, IntQueue ready) {
            boolean moved = false;
            for (int left = waiting.size(); left > 0; left--) {
                int slot = waiting.remove();
                boolean gone = buffer.load64(last(slot)) != CANARY;
                (gone ? ready : waiting).add(slot);
                moved |= gone;
            }
            return moved;
        }

        @Override
        boolean idle() {
            return waiting.isEmpty();
        }

        @Override
        void completed(int slot, int status) {
            throw new IllegalStateException();
        }

        @Override
        boolean quarantined() {
            return false;
        }

        @Override
        String label() {
            return "last bytes";
        }
    }

    /** A buffer that answers the first load after a store itself, so that nothing is read back. */
    private static final class BlindBuffer extends PeerBuffer {
        private final PeerBuffer real;
        private final Map<Long, Long> stored = new HashMap<>();

        BlindBuffer(PeerBuffer real) {
            this.real = real;
        }

        @Override
        public String owner() {
            return real.owner();
        }

        @Override
        public boolean isHost() {
            return real.isHost();
        }

        @Override
        public void checkHealth() {
            real.checkHealth();
        }

        @Override
        public long busAddress() {
            return real.busAddress();
        }

        @Override
        public long sizeBytes() {
            return real.sizeBytes();
        }

        @Override
        public long load64(long offset) {
            Long value = stored.remove(offset);
            return value != null ? value : real.load64(offset);
        }

        @Override
        public void store64(long offset, long value) {
            stored.put(offset, value);
            real.store64(offset, value);
        }

        @Override
        public void fill(long offset, long bytes, int word) {
            real.fill(offset, bytes, word);
        }

        @Override
        public void wipeOnClose(boolean wipe) {
            real.wipeOnClose(wipe);
        }

        @Override
        public void close() {
            real.close();
        }
    }
}
