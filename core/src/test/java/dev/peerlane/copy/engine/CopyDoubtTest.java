package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.copy.engine.FakePort.Op;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.copy.planning.Planner;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests quarantine, poison and control Compares: what the engine does not take on trust. */
class CopyDoubtTest {
    private static final int MEDIUM = 1 << 20;
    private static final long BYTES = 512 << 10;
    private static final int PAGE = 4096;

    private final FakeWorld world = new FakeWorld(11);
    private final FakePort source = new FakePort(world, FakeWorld.SOURCE, 512, MEDIUM, 32 << 10);
    private final FakePort target = new FakePort(world, FakeWorld.TARGET, 512, MEDIUM, 32 << 10);
    private final FakeMemory targetCmb = new FakeMemory(target.name(), 256 << 10);
    private final FakeMemory thirdCmb = new FakeMemory("fake:third", 256 << 10);
    private CopyOptions options =
            CopyOptions.DEFAULTS.withSeed(1).withCommandTimeoutNanos(50_000_000L);

    CopyDoubtTest() {
        new SplittableRandom(3).nextBytes(source.medium);
    }

    private CopyJob job(BufferCandidate by) {
        return new CopyJob(plan(by), Surroundings.of(world), new CancelFlag());
    }

    private CopyPlan plan(BufferCandidate by) {
        CopyRequest request =
                new CopyRequest(
                        new Endpoint("fake:s", FakeWorld.SOURCE, "S", "M", 1, source),
                        16,
                        new Endpoint("fake:t", FakeWorld.TARGET, "T", "M", 1, target),
                        64,
                        BYTES,
                        List.of(by),
                        List.of(),
                        options);
        return Planner.plan(request, world.machine());
    }

    private CopyException failure(BufferCandidate by, Progress progress) {
        CopyJob job = job(by);
        CopyException e = catchThrowableOfType(CopyException.class, () -> job.run(progress));
        assertThat(e).as("the copy must fail").isNotNull();
        return e;
    }

    private BufferCandidate byTarget() {
        return new BufferCandidate("fake:t", FakeWorld.TARGET, targetCmb);
    }

    private BufferCandidate byThird() {
        return new BufferCandidate("fake:third", FakeWorld.THIRD, thirdCmb);
    }

    @ParameterizedTest
    @ValueSource(strings = {"READ", "WRITE"})
    void aCommandThatOnlyItsAbortEndedCostsTheQueueBeforeTheMemoryIsGivenBack(String op) {
        FakePort port = op.equals("READ") ? source : target;
        port.stuck = Op.valueOf(op);
        port.abortEnds = true;
        assertThat(failure(byTarget(), Progress.NONE).code()).isEqualTo("command-timeout");
        assertThat(port.quiesced).isTrue();
        assertThat(targetCmb.open).isZero();
    }

    @Test
    void memoryThatAnUnstoppableDeviceMayWriteStaysAllocated() {
        source.stuck = Op.READ;
        source.cannotBeStopped = true;
        CopyException e = failure(byTarget(), Progress.NONE);
        assertThat(e.code()).isEqualTo("command-timeout");
        assertThat(e.receipt().notes()).anyMatch(n -> n.contains("stays taken until"));
        assertThat(targetCmb.open).isOne();
    }

    @Test
    void dataInFlightWhenItsReaderFailsArrivesBeforeTheMemoryIsReleased() {
        source.lateness = 2_000;
        source.unreachableAfter = 100;
        assertThat(failure(byTarget(), Progress.NONE).code()).isEqualTo("device-memory-fault");
        assertThat(targetCmb.open).isZero();
        for (int turn = 0; turn < 200_000; turn++) {
            world.clock.turn();
        }
        for (byte b : targetCmb.bytes) {
            assertThat(b).as("arrived after the memory was wiped").isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"before", "after"})
    void aControlCompareThatDoesNotEndIsStoppedBeforeTheMemoryIsGivenBack(String when) {
        target.atQuiesce = () -> assertThat(thirdCmb.open).as("still taken").isOne();
        options = options.withVerify(VerifyMode.PEER);
        CopyException e =
                failure(
                        byThird(),
                        (phase, done, total) -> {
                            boolean over = phase == Progress.Phase.VERIFY && done == total;
                            if (over || when.equals("before")) {
                                target.stuck = Op.COMPARE;
                            }
                        });
        assertThat(e.code()).isEqualTo("command-timeout");
        assertThat(e).hasMessageContaining("a control Compare of " + target.name());
        assertThat(target.quiesced).isTrue();
        assertThat(thirdCmb.open).isZero();
    }

    /** A dead device looks like a late command. No Abort is sent to a dead device. */
    @ParameterizedTest
    @ValueSource(strings = {"READ", "WRITE", "FLUSH", "COMPARE"})
    void aLateCommandOfAFailedDeviceIsReportedAsItsFailure(String op) {
        FakePort port = op.equals("READ") ? source : target;
        port.stuck = Op.valueOf(op);
        port.sick = PeerlaneException.io("controller-fatal", port.name() + ": CFS", "Reset it");
        CopyException e = failure(byTarget(), Progress.NONE);
        assertThat(e.code()).isEqualTo("controller-fatal");
        assertThat(e)
                .hasMessageStartingWith(port.name() + ": CFS; ")
                .hasMessageContaining("did not end");
        assertThat(e.remedy()).isEqualTo("Reset it");
        assertThat(port.log).noneMatch(line -> line.startsWith("ABORT"));
    }

    /** The source reports that it could not deliver, but is not to blame. */
    @Test
    void aReadIntoMemoryWhoseOwnerIsGoneIsReportedAsTheOwnersDeath() {
        source.ends(Op.READ, FakePort.FATAL);
        thirdCmb.sick = PeerlaneException.io("controller-gone", "fake:third: gone", "Plug it in");
        CopyException e = failure(byThird(), Progress.NONE);
        assertThat(e.code()).isEqualTo("controller-gone");
        assertThat(e)
                .hasMessageStartingWith("fake:third: gone; Read of blocks ")
                .hasMessageContaining(source.name() + " ended with status 2");
    }

    @Test
    void anErrorOfADeviceThatIsWellStaysWhatItIs() {
        source.ends(Op.READ, FakePort.FATAL);
        assertThat(failure(byThird(), Progress.NONE).code()).isEqualTo("read-failed");
    }

    /**
     * What the receipt of a failed copy names as copied is as durable as what a successful copy
     * wrote.
     */
    @Test
    void whatAFailedCopyHasWrittenIsFlushed() {
        source.badBlock = 16 + BYTES / 512 - 1;
        CopyException e = failure(byTarget(), Progress.NONE);
        assertThat(e.code()).isEqualTo("read-failed");
        assertThat(e.receipt().bytesCopied()).isPositive();
        assertThat(target.log.getLast()).startsWith("FLUSH");
        assertThat(e.receipt().notes()).noneMatch(n -> n.contains("not flushed"));
    }

    @Test
    void aFailedCopyWhoseTargetCannotFlushSaysSo() {
        source.badBlock = 16 + BYTES / 512 - 1;
        target.ends(Op.FLUSH, FakePort.FATAL);
        CopyException e = failure(byTarget(), Progress.NONE);
        assertThat(e.code()).isEqualTo("read-failed");
        assertThat(e.receipt().notes()).anyMatch(n -> n.contains("was not flushed"));
    }

    @Test
    void aWriteThatFailsForGoodNamesTheTargetAndHowOftenItWasTried() {
        options = options.withSlots(PAGE, 1).withRetries(2);
        target.ends(Op.WRITE, FakePort.RETRYABLE, FakePort.RETRYABLE, FakePort.RETRYABLE);
        CopyException e = failure(byTarget(), Progress.NONE);
        assertThat(e.code()).isEqualTo("write-failed");
        assertThat(e).hasMessageStartingWith("Write of blocks 64 to 71 of " + target.name());
        assertThat(e.remedy()).contains("It was tried 3 times");
    }

    @Test
    void aReadThatIsTriedAgainHasTheWholeTimeAgain() {
        options = options.withVerify(VerifyMode.NONE);
        source.latencyNanos = options.commandTimeoutNanos() * 3 / 5;
        source.ends(Op.READ, FakePort.RETRYABLE, FakePort.RETRYABLE);
        assertThat(job(byTarget()).run(Progress.NONE).bytesCopied()).isEqualTo(BYTES);
    }

    @Test
    void aSlotThatAFullQueueDidNotTakeIsReadLater() {
        source.fullFor = 3;
        CancelFlag cancel = new CancelFlag();
        CopyJob job = new CopyJob(plan(byTarget()), Surroundings.of(world), cancel);
        Receipt receipt =
                job.run((phase, done, total) -> {
                    if (world.nanos > 10_000_000_000L) {
                        cancel.cancel();
                    }
                });
        assertThat(receipt.bytesCopied()).isEqualTo(BYTES);
    }

    @Test
    void aSentinelWhoseReadFailedHandsNothingOn() {
        Geometry geometry = new Geometry(PAGE, 2, 1, 512);
        int slot = source.attach(targetCmb.new Piece(PAGE), 0, 512, 512, 1);
        SentinelFence fence =
                new SentinelFence(
                        source,
                        targetCmb.allocate(geometry.totalBytes(), PAGE),
                        geometry,
                        slot,
                        options,
                        world.random);
        IntQueue ready = new IntQueue(2);
        fence.arrived(0, 16);
        fence.step(0, ready);
        assertThatThrownBy(() -> fence.completed(slot, FakePort.FATAL))
                .hasMessageContaining("the sentinel's Read of block 16")
                .hasMessageContaining("status 2");
        fence.step(1, ready);
        assertThat(ready.isEmpty()).isTrue();
    }

    @Test
    void aSentinelThatIsLateIsQuarantined() {
        Geometry geometry = new Geometry(PAGE, 2, 1, 512);
        SentinelFence fence =
                new SentinelFence(
                        source,
                        targetCmb.allocate(geometry.totalBytes(), PAGE),
                        geometry,
                        source.attach(targetCmb.new Piece(PAGE), 0, 512, 512, 1),
                        options,
                        world.random);
        IntQueue none = new IntQueue(2);
        fence.arrived(0, 16);
        fence.step(0, none);
        assertThat(fence.quarantined()).isFalse();
        assertThatThrownBy(() -> fence.step(options.commandTimeoutNanos() + 1, none))
                .hasMessageContaining("the sentinel's Read of block 16")
                .extracting(e -> ((PeerlaneException) e).code())
                .isEqualTo("command-timeout");
        assertThat(fence.quarantined()).isTrue();
    }

    /**
     * Data may equal its poison by chance and have arrived all the same; another word shows that.
     */
    @Test
    void dataThatEqualsItsPoisonByChanceIsReadAgainWithAnother() {
        long seed = 5;
        ByteBuffer.wrap(source.medium)
                .order(ByteOrder.nativeOrder())
                .putLong(16 * 512, new SplittableRandom(seed).nextLong());
        System.arraycopy(source.medium, 16 * 512, target.medium, 64 * 512, PAGE);
        Geometry geometry = new Geometry(PAGE, 1, 0, 0);
        FakeMemory.Piece buffer = targetCmb.new Piece(PAGE);
        Pipeline pipeline =
                new Pipeline(
                        Lane.attach(
                                new Lane.End(source, 16),
                                new Lane.End(target, 64),
                                buffer,
                                geometry,
                                PAGE),
                        SecondStage.COMPARE,
                        new Fence.None(1),
                        world.clock,
                        options,
                        new CancelFlag());
        pipeline.poison(new Poison(buffer, geometry, new SplittableRandom(seed)));
        pipeline.run(Progress.NONE, Progress.Phase.VERIFY);
        assertThat(pipeline.doneBytes()).isEqualTo(PAGE);
        assertThat(source.log).filteredOn(line -> line.startsWith("READ")).hasSize(2);
    }

    @Test
    void poisonIsReadBackFromEveryPage() {
        Geometry geometry = new Geometry(4 * PAGE, 2, 0, 0);
        Forgetful memory = new Forgetful();
        Poison poison = new Poison(memory, geometry, world.random);
        poison.plant(1, 4 * PAGE);
        for (int page = 0; page < 4; page++) {
            memory.forgets = 4L * PAGE + (long) page * PAGE;
            assertThatThrownBy(() -> poison.plant(1, 4 * PAGE))
                    .hasMessageContaining("reads back")
                    .extracting(e -> ((PeerlaneException) e).code())
                    .isEqualTo("buffer-not-memory");
        }
    }

    @Test
    void poisonThatIsLeftInAnyPageIsSeen() {
        Geometry geometry = new Geometry(4 * PAGE, 2, 0, 0);
        Forgetful memory = new Forgetful();
        Poison poison = new Poison(memory, geometry, world.random);
        for (int left = 0; left < 4; left++) {
            poison.plant(1, 4 * PAGE);
            for (int page = 0; page < 4; page++) {
                if (page != left) {
                    memory.fill(4L * PAGE + (long) page * PAGE, PAGE, 1);
                }
            }
            assertThat(poison.isGone(1, 4 * PAGE)).as("page %d", left).isFalse();
            memory.fill(4L * PAGE + (long) left * PAGE, PAGE, 1);
            assertThat(poison.isGone(1, 4 * PAGE)).isTrue();
        }
    }

    /**
     * A packet is lost each time it is sent, in the copy and in the verification. The old bytes
     * that this leaves are not the same in both.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 8, 9, 24})
    void dataThatNeverArrivesIsFoundAnywhereInAPage(int slots) {
        options = options.withSlots(PAGE, slots);
        for (int chunk = 0; chunk < 8; chunk++) {
            source.losesFrom = 16 * 512 + (chunk * 11 + 3) * PAGE + 64 + 448 * chunk;
            Arrays.fill(target.medium, (byte) 0);
            CopyException e = failure(byTarget(), Progress.NONE);
            assertThat(e.code()).as("chunk %d", chunk).isEqualTo("verify-mismatch");
        }
    }

    /** Bytes that are never written hold the same in the verification as in the copy. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 9})
    void bytesOfTheMemoryThatNoWriteReachesAreFound(int slots) {
        options = options.withSlots(PAGE, slots).withSeed(2); // no word is planted in the hole
        source.holeFrom = (slots - 1) * PAGE + 1024;
        CopyException e = failure(byTarget(), Progress.NONE);
        assertThat(e.code()).isEqualTo("verify-mismatch");
        assertThat(e.values()).containsEntry("buffer", "host");
    }

    /** The same in host memory, where neither side's Read brings the bytes. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 24})
    void bytesThatNeitherReadBringsToHostMemoryAreNotEqual(int slots) {
        options = options.withSlots(PAGE, slots).withVerify(VerifyMode.HOST);
        source.losesFrom = 16 * 512 + 40 * PAGE + 1024;
        target.losesFrom = 64 * 512 + 40 * PAGE + 1024;
        assertThat(failure(byTarget(), Progress.NONE).code()).isEqualTo("verify-mismatch");
    }

    @Test
    void aTargetThatThrowsWritesAwayAndAlwaysSaysEqualFailsAtTheFirstControl() {
        target.ends(Op.WRITE, Collections.nCopies(200, 0).toArray(Integer[]::new));
        target.comparesSucceed = true;
        CopyException e = failure(byTarget(), Progress.NONE);
        assertThat(target.medium).as("nothing was written").containsOnly(0);
        assertThat(e.code()).isEqualTo("compare-lies");
        assertThat(e)
                .hasMessageContaining(target.name() + " compared blocks ")
                .hasMessageContaining("found no difference again");
        assertThat(e.remedy()).contains("verify it in host memory");
        assertThat(e.receipt().verify().result()).isEqualTo("failed");
        assertThat(e.receipt().verify().controls()).isZero();
        assertThat(e.receipt().error().firstBadLba()).isNotNull();
    }

    @Test
    void aSourceThatAlwaysSaysEqualFailsTheVerification() {
        FakeMemory cmb = new FakeMemory(source.name(), 256 << 10);
        source.comparesSucceed = true;
        BufferCandidate bySource = new BufferCandidate("fake:s", FakeWorld.SOURCE, cmb);
        assertThat(failure(bySource, Progress.NONE).code()).isEqualTo("compare-lies");
    }

    @Test
    void aGoodCopyTellsHowManyComparesWereControlled() {
        assertThat(job(byTarget()).run(Progress.NONE).verify().controls()).isEqualTo(32);
    }

    /** A sentinel that lies in two pages has two words, and both must be gone. */
    @Test
    void aSentinelThatLiesInTwoPagesIsGoneWhenBothItsPartsAre() {
        targetCmb.busAddress = 0xe000_0000L + PAGE - 256;
        Geometry geometry = new Geometry(512, 2, 1, 512);
        PeerBuffer buffer = targetCmb.allocate(geometry.totalBytes(), 8);
        targetCmb.busAddress -= geometry.sentinelOffset();
        int slot = source.attach(buffer, geometry.sentinelOffset(), 512, 512, 1);
        SentinelFence fence =
                new SentinelFence(source, buffer, geometry, slot, options, world.random);
        IntQueue ready = new IntQueue(2);
        fence.arrived(0, 16);
        fence.step(0, ready);
        fence.completed(slot, 0);
        buffer.store64(geometry.sentinelOffset() + 512 - 8, 0);
        fence.step(1, ready);
        assertThat(ready.isEmpty()).as("the first part has not arrived").isTrue();
        buffer.store64(geometry.sentinelOffset() + 256 - 8, 0);
        fence.step(2, ready);
        assertThat(ready.isEmpty()).isFalse();
    }

    @Test
    void comparesThatStopReadingDuringTheVerificationFailIt() {
        CopyException e =
                failure(
                        byThird(),
                        (phase, done, total) ->
                                target.comparesSucceed |=
                                        phase == Progress.Phase.VERIFY && done == total);
        assertThat(e.code()).isEqualTo("peer-reads-lie");
    }

    /**
     * Peer reads reach only a part of the memory. With one slot, Write and Compare see the same
     * garbage in the same places, so the medium holds it, too.
     */
    @ParameterizedTest
    @ValueSource(longs = {PAGE, 3 * PAGE})
    void peerReadsThatLieBehindSomeOffsetFailTheVerification(long offset) {
        options = options.withSlots(4 * PAGE, 1);
        target.peerReadsEndAt = offset;
        CopyException e = failure(byThird(), Progress.NONE);
        assertThat(e.code()).isEqualTo("peer-reads-lie");
        assertThat(e.receipt().verify().result()).isEqualTo("failed");
    }

    /** A memory in which the words of one page do not keep what is stored. */
    private static final class Forgetful extends PeerBuffer {
        private final FakeMemory memory = new FakeMemory("fake:forgetful", 16 * PAGE);
        private final PeerBuffer bytes = memory.allocate(16 * PAGE, PAGE);
        private long forgets = -1;

        @Override
        public String owner() {
            return memory.owner();
        }

        @Override
        public boolean isHost() {
            return memory.isHost();
        }

        @Override
        public void checkHealth() {
            memory.checkHealth();
        }

        @Override
        public long busAddress() {
            return bytes.busAddress();
        }

        @Override
        public long sizeBytes() {
            return bytes.sizeBytes();
        }

        @Override
        public long load64(long offset) {
            return bytes.load64(offset);
        }

        @Override
        public void store64(long offset, long value) {
            if (forgets < 0 || offset < forgets || offset >= forgets + PAGE) {
                bytes.store64(offset, value);
            }
        }

        @Override
        public void fill(long offset, long count, int word) {
            bytes.fill(offset, count, word);
        }

        @Override
        public void wipeOnClose(boolean wipe) {}

        @Override
        public void close() {
            bytes.close();
        }
    }
}
