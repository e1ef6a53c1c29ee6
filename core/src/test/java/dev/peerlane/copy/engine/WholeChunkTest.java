package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.engine.FakePort.Op;
import dev.peerlane.copy.planning.Geometry;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that nothing of a chunk is left out: its bytes, its pages, its blocks, its own time. */
class WholeChunkTest {
    private static final int PAGE = 4096;
    private static final int CHUNK = 3 * PAGE;

    private final FakeWorld world = new FakeWorld(5);
    private final FakePort source = new FakePort(world, FakeWorld.SOURCE, 512, 1 << 20, 32 << 10);
    private final FakePort target = new FakePort(world, FakeWorld.TARGET, 512, 1 << 20, 32 << 10);
    private final FakeMemory cmb = new FakeMemory(target.name(), 64 << 10);

    @ParameterizedTest
    @ValueSource(ints = {512, PAGE, PAGE + 512, CHUNK})
    void aDifferenceInAnyByteOfAChunkIsFound(int bytes) {
        Geometry half = new Geometry(CHUNK, 2, 0, 0);
        HostMemory memory = new HostMemory(world.dma());
        try (HostMemory.HostBuffer buffer = memory.allocate(4L * CHUNK, PAGE)) {
            MemorySegment all = buffer.segment();
            Poison poison = new Poison(buffer, new Geometry(CHUNK, 4, 0, 0), world.random);
            HostMatch match = new HostMatch(all, half, poison);
            byte[] data = new byte[CHUNK];
            new SplittableRandom(8).nextBytes(data);
            match.plant(1, bytes);
            for (int slot : new int[] {1, 3}) {
                MemorySegment.copy(data, 0, all, ValueLayout.JAVA_BYTE, (long) slot * CHUNK, bytes);
            }
            assertThat(match.equal(1, bytes)).isTrue();
            for (int at = 0; at < bytes; at++) {
                all.set(ValueLayout.JAVA_BYTE, 3L * CHUNK + at, (byte) (data[at] + 1));
                assertThat(match.equal(1, bytes)).as("byte %d differs", at).isFalse();
                all.set(ValueLayout.JAVA_BYTE, 3L * CHUNK + at, data[at]);
            }
        }
    }

    /**
     * CMBEBS.CMBRBB: loads may bypass writes to other addresses, so each page needs a load of its
     * own.
     */
    @ParameterizedTest
    @ValueSource(ints = {512, PAGE, PAGE + 512, CHUNK})
    void readingBackLoadsTheLastWordOfEveryPage(int bytes) {
        List<Long> loads = new ArrayList<>();
        cmb.atLoad = () -> loads.add(cmb.loadedAt);
        ReadbackFence fence =
                new ReadbackFence(cmb.new Piece(64 << 10), new Geometry(CHUNK, 2, 0, 0));
        fence.reading(1, bytes);
        fence.arrived(1, 0);
        IntQueue ready = new IntQueue(2);
        fence.step(0, ready);
        assertThat(ready.remove()).isOne();
        List<Long> expected = new ArrayList<>();
        for (int end = PAGE; end < bytes + PAGE; end += PAGE) {
            expected.add((long) CHUNK + Math.min(end, bytes) - 8);
        }
        assertThat(loads).containsExactlyElementsOf(expected);
    }

    /** If all words were the same, data of the previous sentinel would look like the new word. */
    @Test
    void everySentinelHasAWordOfItsOwn() {
        Geometry geometry = new Geometry(PAGE, 2, 1, 512);
        FakeMemory.Piece buffer = cmb.new Piece(64 << 10);
        int slot = source.attach(buffer, geometry.sentinelOffset(), 512, 512, 1);
        CopyOptions options = CopyOptions.DEFAULTS;
        SentinelFence fence =
                new SentinelFence(source, buffer, geometry, slot, options, world.random);
        IntQueue ready = new IntQueue(2);
        Set<Long> words = new HashSet<>();
        for (int batch = 0; batch < 20; batch++) {
            fence.arrived(0, 16);
            fence.step(batch, ready);
            long at = geometry.sentinelOffset() + 512 - 8;
            words.add(buffer.load64(at));
            fence.completed(slot, 0);
            fence.step(batch, ready);
            assertThat(ready.isEmpty()).as("the word is there still").isTrue();
            buffer.store64(at, 0);
            fence.step(batch, ready);
            assertThat(ready.remove()).isZero();
        }
        assertThat(words).hasSize(20);
    }

    @Test
    void theLastRangeEndsWhereItsShorterChunkDoes() {
        long bytes = 2 * CHUNK + 1024;
        Geometry geometry = new Geometry(CHUNK, 2, 0, 0);
        Lane lane =
                Lane.attach(
                        new Lane.End(source, 16),
                        new Lane.End(target, 64),
                        cmb.new Piece(64 << 10),
                        geometry,
                        bytes);
        ChunkLog log = new ChunkLog(lane.chunks());
        int blocks = CHUNK / 512;
        log.done(2);
        assertThat(CopiedRanges.of(lane, log, 64, 0))
                .containsExactly(new Receipt.Range(64 + 2 * blocks, 2));
        log.done(0);
        assertThat(CopiedRanges.of(lane, log, 64, 0))
                .containsExactly(
                        new Receipt.Range(64, blocks), new Receipt.Range(64 + 2 * blocks, 2));
        log.done(1);
        assertThat(CopiedRanges.of(lane, log, 64, 0))
                .containsExactly(new Receipt.Range(64, bytes / 512));
    }

    /** Each command takes longer than half of its timeout. */
    @ParameterizedTest
    @EnumSource(names = {"WRITE", "COMPARE"})
    void aSecondCommandHasItsWholeTimeHoweverLongTheReadTook(Op op) {
        CopyOptions options = CopyOptions.DEFAULTS.withCommandTimeoutNanos(50_000_000L);
        source.latencyNanos = options.commandTimeoutNanos() * 7 / 10;
        target.latencyNanos = options.commandTimeoutNanos() * 7 / 10;
        Geometry geometry = new Geometry(CHUNK, 2, 0, 0);
        Lane lane =
                Lane.attach(
                        new Lane.End(source, 0),
                        new Lane.End(target, 0),
                        cmb.new Piece(64 << 10),
                        geometry,
                        2 * CHUNK);
        Pipeline pipeline =
                new Pipeline(
                        lane,
                        op == Op.WRITE ? SecondStage.WRITE : SecondStage.COMPARE,
                        new Fence.None(2),
                        world.clock,
                        options,
                        new CancelFlag());
        pipeline.run(Progress.NONE, Progress.Phase.COPY);
        assertThat(pipeline.doneBytes()).isEqualTo(2 * CHUNK);
    }
}
