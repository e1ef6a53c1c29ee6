package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.VerifyMethod;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.copy.engine.FakePort.Op;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.copy.planning.Planner;
import dev.peerlane.hal.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests copies on ports and memory that a test controls. */
class CopyJobTest {
    private static final int MEDIUM = 4 << 20;
    private static final long BYTES = 2 << 20;

    private final FakeWorld world = new FakeWorld(7);
    private FakePort source = new FakePort(world, FakeWorld.SOURCE, 512, MEDIUM, 64 << 10);
    private FakePort target = new FakePort(world, FakeWorld.TARGET, 512, MEDIUM, 64 << 10);
    private final FakeMemory targetCmb = new FakeMemory(target.name(), 512 << 10);
    private final FakeMemory sourceCmb = new FakeMemory(source.name(), 512 << 10);
    private final FakeMemory thirdCmb = new FakeMemory("fake:third", 512 << 10);
    private final CancelFlag cancel = new CancelFlag();
    private CopyOptions options =
            CopyOptions.DEFAULTS.withSeed(1).withCommandTimeoutNanos(50_000_000L);

    CopyJobTest() {
        new SplittableRandom(3).nextBytes(source.medium);
    }

    private CopyRequest request() {
        return new CopyRequest(
                new Endpoint("fake:s", FakeWorld.SOURCE, "S", "M", 1, source),
                16,
                new Endpoint("fake:t", FakeWorld.TARGET, "T", "M", 1, target),
                64 / (target.limits().blockBytes() / 512),
                BYTES,
                List.of(
                        new BufferCandidate("fake:t", FakeWorld.TARGET, targetCmb),
                        new BufferCandidate("fake:s", FakeWorld.SOURCE, sourceCmb),
                        new BufferCandidate("fake:third", FakeWorld.THIRD, thirdCmb)),
                List.of(),
                options);
    }

    private Receipt run() {
        CopyPlan plan = Planner.plan(request(), world.machine());
        return new CopyJob(plan, Surroundings.of(world), cancel).run(Progress.NONE);
    }

    private CopyException failure() {
        CopyException e = catchThrowableOfType(CopyException.class, this::run);
        assertThat(e).as("the copy must fail").isNotNull();
        return e;
    }

    private void assertCopied() {
        int from = 16 * 512;
        int to = 64 * 512;
        assertThat(
                        Arrays.equals(
                                target.medium,
                                to,
                                to + (int) BYTES,
                                source.medium,
                                from,
                                from + (int) BYTES))
                .as("the target's blocks are the source's")
                .isTrue();
        assertZero("before the range", target.medium, 0, to);
        assertZero("behind the range", target.medium, to + (int) BYTES, MEDIUM);
    }

    /**
     * Asserts that bytes are zero, without an assertion for each byte, which would take longer than
     * the copy.
     */
    private static void assertZero(String what, byte[] bytes, int from, int to) {
        assertThat(Arrays.mismatch(bytes, from, to, new byte[to - from], 0, to - from))
                .as(what)
                .isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "target", "source", "third", "host"})
    void copiesAndVerifiesThroughEveryBuffer(String buffer) {
        options = options.withBuffer(choice(buffer));
        source.lateness = 50;
        target.lateness = 50;
        source.latencyNanos = 40_000;
        target.latencyNanos = 40_000;
        Receipt receipt = run();
        assertCopied();
        assertThat(receipt.result()).isEqualTo("ok");
        assertThat(receipt.verify().result()).isEqualTo("ok");
        assertThat(receipt.bytesCopied()).isEqualTo(BYTES);
        assertThat(receipt.copied()).containsExactly(new Receipt.Range(64, BYTES / 512));
        assertThat(targetCmb.open + sourceCmb.open + thirdCmb.open).isZero();
        assertZero("wiped", targetCmb.bytes, 0, targetCmb.bytes.length);
        assertZero("wiped", sourceCmb.bytes, 0, sourceCmb.bytes.length);
        assertThat(source.maxInFlight).isGreaterThanOrEqualTo(8);
        assertThat(target.maxInFlight).isGreaterThanOrEqualTo(8);
    }

    @ParameterizedTest
    @CsvSource({"8, false", "32, true"})
    void aPollThatTookFewOfManyIsFollowedByAMoment(int slots, boolean lingers) {
        options = options.withSlots(8 << 10, slots).withBuffer(BufferChoice.TARGET);
        source.latencyNanos = 40_000;
        target.latencyNanos = 40_000;
        run();
        assertCopied();
        assertThat(world.lingers > 0).isEqualTo(lingers);
    }

    private static BufferChoice choice(String name) {
        return switch (name) {
            case "target" -> BufferChoice.TARGET;
            case "source" -> BufferChoice.SOURCE;
            case "third" -> BufferChoice.device("fake:third");
            case "host" -> BufferChoice.HOST;
            default -> BufferChoice.AUTO;
        };
    }

    @Test
    void blocksOfDifferentSizeAreCopied() {
        target = new FakePort(world, FakeWorld.TARGET, 4096, MEDIUM, 32 << 10);
        Receipt receipt = run();
        assertThat(receipt.target().blocks()).isEqualTo(BYTES / 4096);
        assertCopied();
    }

    @Test
    void dataThatArrivesAfterItsCompletionIsNotTakenForOld() {
        for (int seed = 0; seed < 40; seed++) {
            FakeWorld other = new FakeWorld(seed);
            source = new FakePort(other, FakeWorld.SOURCE, 512, MEDIUM, 64 << 10);
            target = new FakePort(other, FakeWorld.TARGET, 512, MEDIUM, 64 << 10);
            new SplittableRandom(seed).nextBytes(source.medium);
            source.lateness = 400;
            options = options.withVerify(VerifyMode.NONE).withSeed(seed);
            CopyPlan plan = Planner.plan(request(), other.machine());
            new CopyJob(plan, Surroundings.of(other), cancel).run(Progress.NONE);
            assertCopied();
        }
    }

    /** Guards the test above: its world must be able to show what the fence prevents. */
    @Test
    void withoutAFenceLateDataWouldBeTakenForOld() {
        source.lateness = 400;
        Geometry geometry = new Geometry(16 << 10, 16, 0, 0);
        Lane lane =
                Lane.attach(
                        new Lane.End(source, 16),
                        new Lane.End(target, 64),
                        targetCmb.allocate(geometry.totalBytes(), 4096),
                        geometry,
                        BYTES);
        new Pipeline(lane, SecondStage.WRITE, new Fence.None(16), world.clock, options, cancel)
                .run(Progress.NONE, Progress.Phase.COPY);
        int from = 16 * 512;
        assertThat(
                        Arrays.equals(
                                target.medium,
                                64 * 512,
                                64 * 512 + (int) BYTES,
                                source.medium,
                                from,
                                from + (int) BYTES))
                .isFalse();
    }

    @Test
    void lostPeerWritesAreFoundBeforeAnythingIsWritten() {
        source.losesPeerWrites = true;
        CopyException e = failure();
        assertThat(e.code()).isEqualTo("peer-writes-lost");
        assertThat(e.getMessage()).contains(source.name()).contains(target.name());
        assertThat(target.medium).containsOnly(0);
        assertThat(e.receipt().bytesCopied()).isZero();
    }

    @Test
    void lostPeerWritesAreFoundByTheVerificationOfASourceCmb() {
        options = options.withBuffer(BufferChoice.SOURCE);
        target.losesPeerWrites = true;
        CopyException e = failure();
        assertThat(e.code()).isEqualTo("peer-writes-lost");
        assertThat(e.receipt().verify().result()).isEqualTo("failed");
        assertThat(e.receipt().result()).isEqualTo("failed");
    }

    @Test
    void garbageFromPeerReadsIsFoundWithTheSourcesCmb() {
        options = options.withBuffer(BufferChoice.SOURCE);
        target.peerReadsAreOnes = true;
        CopyException e = failure();
        assertThat(e.code()).isEqualTo("verify-mismatch");
        assertThat(e.receipt().error().firstBadLba()).isNotNull();
    }

    @Test
    void garbageFromPeerReadsIsFoundWithAThirdPartysCmb() {
        options = options.withBuffer(BufferChoice.device("fake:third"));
        target.peerReadsAreOnes = true;
        assertThat(failure().code()).isEqualTo("verify-mismatch");
    }

    @Test
    void garbageFromPeerReadsIsFoundByControlComparesWhereOnlyAThirdPartyHasACmb() {
        options = options.withBuffer(BufferChoice.device("fake:third"));
        CopyRequest all = request();
        CopyRequest only =
                new CopyRequest(
                        all.source(),
                        16,
                        all.target(),
                        64,
                        BYTES,
                        List.of(all.candidates().get(2)),
                        List.of(),
                        options);
        CopyPlan plan = Planner.plan(only, world.machine());
        assertThat(plan.verify()).isEqualTo(VerifyMethod.CONTROLLED_COMPARE);
        assertThat(new CopyJob(plan, Surroundings.of(world), cancel).run(Progress.NONE).result())
                .isEqualTo("ok");
        target.peerReadsAreOnes = true;
        assertThatThrownBy(() ->
                        new CopyJob(
                                        Planner.plan(only, world.machine()),
                                        Surroundings.of(world),
                                        cancel)
                                .run(Progress.NONE))
                .hasMessageContaining("found no difference")
                .extracting(e -> ((PeerlaneException) e).code())
                .isEqualTo("peer-reads-lie");
    }

    @Test
    void transientErrorsAreRetried() {
        source.ends(Op.READ, FakePort.RETRYABLE, FakePort.RETRYABLE);
        target.ends(Op.WRITE, FakePort.RETRYABLE, FakePort.RETRYABLE);
        run();
        assertCopied();
    }

    /**
     * The fence waits for the pages of the second Read, not for what the first one left in the
     * slot.
     */
    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY"})
    void dataOfAFailedReadIsNotMistakenForThatOfTheNextRead(FenceChoice fence) {
        options = options.withBuffer(BufferChoice.TARGET).withFence(fence);
        source.lateness = 50;
        source.ends(Op.READ, FakePort.RETRYABLE, FakePort.RETRYABLE);
        run();
        assertCopied();
    }

    @Test
    void aPersistentErrorStopsTheCopyAndNamesTheBlock() {
        source.ends(Op.READ, FakePort.FATAL);
        CopyException e = failure();
        assertThat(e.code()).isEqualTo("read-failed");
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
        assertThat(e.getMessage()).contains("status 2").contains(source.name());
        assertThat(e.receipt().error().firstBadLba()).isGreaterThanOrEqualTo(16);
        assertThat(targetCmb.open).isZero();
        assertThat(source.inFlight + target.inFlight).isZero();
    }

    @Test
    void theReceiptOfAFailedCopyNamesExactlyTheBlocksThatTheTargetConfirmed() {
        List<Integer> statuses = new ArrayList<>(java.util.Collections.nCopies(40, 0));
        options = options.withSlots(4096, 24);
        for (int i = 0; i < statuses.size(); i++) {
            statuses.set(i, FakePort.RETRYABLE);
        }
        target.ends(Op.WRITE, statuses.toArray(new Integer[0]));
        target.ends(Op.WRITE, FakePort.FATAL);
        CopyException e = failure();
        long named = e.receipt().copied().stream().mapToLong(Receipt.Range::blocks).sum() * 512;
        assertThat(named).isEqualTo(e.receipt().bytesCopied());
        for (Receipt.Range range : e.receipt().copied()) {
            int at = (int) range.slba() * 512;
            int from = at - 64 * 512 + 16 * 512;
            int length = (int) range.blocks() * 512;
            assertThat(
                            Arrays.equals(
                                    target.medium,
                                    at,
                                    at + length,
                                    source.medium,
                                    from,
                                    from + length))
                    .isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"READ", "WRITE"})
    void aCommandThatNeverEndsIsAbortedAndItsQueueDeletedBeforeTheMemoryIsGivenBack(String op) {
        FakePort port = op.equals("READ") ? source : target;
        port.stuck = Op.valueOf(op);
        CopyException e = failure();
        assertThat(e.code()).isEqualTo("command-timeout");
        assertThat(e.getMessage()).contains("not aborted");
        assertThat(port.log).anyMatch(l -> l.startsWith("ABORT"));
        assertThat(port.quiesced).isTrue();
        assertThat(targetCmb.open).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aDeviceWhoseRegistersAreLostIsAnErrorOfOursAndNothingStaysTaken(boolean atSource) {
        FakePort port = atSource ? source : target;
        port.latencyNanos = 200_000;
        port.unreachableAfter = 300;
        CopyException e = failure();
        assertThat(e.code()).isEqualTo("device-memory-fault");
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
        assertThat(e.remedy()).contains("unplugged");
        String lost = "does not answer";
        String well = "answers and is ready";
        assertThat(e)
                .hasMessageEndingWith(
                        "; the source, fake:s, %s; the target, fake:t, %s"
                                .formatted(atSource ? lost : well, atSource ? well : lost));
        assertThat(e.receipt().error().sourceCondition()).isEqualTo(atSource ? lost : well);
        assertThat(e.receipt().error().targetCondition()).isEqualTo(atSource ? well : lost);
        assertThat(port.quiesced).isTrue();
        assertThat(targetCmb.open).isZero();
    }

    /**
     * Only a load brings the data here, because a load does not pass posted writes on its route.
     */
    @ParameterizedTest
    @EnumSource(names = {"READBACK", "NONE"})
    void readingBackWaitsForWhatALoadPushesAheadOfItself(FenceChoice fence) {
        options =
                options.withBuffer(BufferChoice.TARGET)
                        .withFence(fence)
                        .withVerify(VerifyMode.NONE);
        source.lateness = Integer.MAX_VALUE;
        targetCmb.atLoad = source::arriveAll;
        run();
        int length = (int) BYTES;
        boolean copied =
                Arrays.equals(
                        target.medium,
                        64 * 512,
                        64 * 512 + length,
                        source.medium,
                        16 * 512,
                        16 * 512 + length);
        assertThat(copied).isEqualTo(fence == FenceChoice.READBACK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sentinel", "canary"})
    void dataThatIsUnderWayWhenACopyFailsHasArrivedBeforeItsMemoryIsGivenBack(String fence) {
        for (int seed = 0; seed < 20; seed++) {
            FakeWorld late = new FakeWorld(seed);
            source = new FakePort(late, FakeWorld.SOURCE, 512, MEDIUM, 64 << 10);
            target = new FakePort(late, FakeWorld.TARGET, 512, MEDIUM, 64 << 10);
            new SplittableRandom(seed).nextBytes(source.medium);
            source.lateness = 100;
            target.ends(Op.WRITE, FakePort.FATAL);
            options = options.withFence(FenceChoice.valueOf(fence.toUpperCase(Locale.ROOT)));
            CopyPlan plan = Planner.plan(request(), late.machine());
            CopyJob job = new CopyJob(plan, Surroundings.of(late), cancel);
            assertThatThrownBy(() -> job.run(Progress.NONE)).hasMessageContaining("status 2");
            assertThat(targetCmb.open).isZero();
            for (int turn = 0; turn < 20_000; turn++) {
                late.clock.turn();
            }
            for (byte b : targetCmb.bytes) {
                assertThat(b).as("arrived after the memory was wiped, seed " + seed).isZero();
            }
        }
    }

    @Test
    void aFlushThatFailsFailsTheCopy() {
        target.ends(Op.FLUSH, FakePort.FATAL);
        assertThat(failure().code()).isEqualTo("flush-failed");
    }

    @Test
    void aRequestToStopEndsTheCopyAsInterrupted() {
        cancel.cancel();
        CopyException e = failure();
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.INTERRUPTED);
        assertThat(source.inFlight + target.inFlight).isZero();
        assertThat(targetCmb.open).isZero();
    }

    @Test
    void aChangedBlockIsFoundByTheVerification() {
        FakePort changing = target;
        Clock clock = world.clock;
        assertThat(clock.nanoTime()).isZero();
        options = options.withVerify(VerifyMode.HOST);
        CopyPlan plan = Planner.plan(request(), world.machine());
        CopyJob job = new CopyJob(plan, Surroundings.of(world), cancel);
        CopyException e =
                catchThrowableOfType(
                        CopyException.class,
                        () ->
                                job.run((phase, done, total) -> {
                                    if (phase == Progress.Phase.VERIFY && done == 0) {
                                        changing.medium[64 * 512 + 100_000] ^= 1;
                                    }
                                }));
        assertThat(e.code()).isEqualTo("verify-mismatch");
        assertThat(e.receipt().error().firstBadLba())
                .isLessThanOrEqualTo(64 + 100_000 / 512)
                .isGreaterThan(64 + 100_000 / 512 - 128);
    }

    @ParameterizedTest
    @CsvSource({
        "true, true, host-data-missing",
        "true, false, host-data-missing",
        "false, true, verify-mismatch"
    })
    void hostMemoryThatNoReadReachesIsNotTakenForEqual(
            boolean sourceLoses, boolean targetLoses, String code) {
        options = options.withBuffer(BufferChoice.HOST);
        Arrays.fill(source.medium, (byte) 0); // equal to untouched memory
        source.losesHostWrites = sourceLoses;
        target.losesHostWrites = targetLoses;
        assertThat(failure().code()).isEqualTo(code);
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY"})
    void aThirdPartysMemoryServesCopyAndCheckWithAnyFence(FenceChoice fence) {
        options =
                options.withBuffer(BufferChoice.device("fake:third"))
                        .withFence(fence)
                        .withVerify(VerifyMode.PEER);
        CopyRequest all = request();
        CopyRequest only =
                new CopyRequest(
                        all.source(),
                        16,
                        all.target(),
                        64,
                        BYTES,
                        List.of(all.candidates().get(2)),
                        List.of(),
                        options);
        CopyPlan plan = Planner.plan(only, world.machine());
        assertThat(plan.verify()).isEqualTo(VerifyMethod.CONTROLLED_COMPARE);
        Receipt receipt = new CopyJob(plan, Surroundings.of(world), cancel).run(Progress.NONE);
        assertThat(receipt.fence()).isEqualTo(fence.label());
        assertThat(receipt.verify().result()).isEqualTo("ok");
    }
}
