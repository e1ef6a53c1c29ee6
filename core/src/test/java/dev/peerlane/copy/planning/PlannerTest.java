package dev.peerlane.copy.planning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Leg;
import dev.peerlane.copy.VerifyMethod;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.copy.engine.Details;
import dev.peerlane.copy.engine.FakeMemory;
import dev.peerlane.copy.engine.FakePort;
import dev.peerlane.copy.engine.FakeWorld;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.RootComplex;
import dev.peerlane.pci.RootComplex.Trust;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests which buffer a plan chooses, and what it says if there is none. */
class PlannerTest {
    private final FakeWorld world = new FakeWorld(1);
    private FakePort source = new FakePort(world, FakeWorld.SOURCE, 512, 1 << 20, 64 << 10);
    private FakePort target = new FakePort(world, FakeWorld.TARGET, 512, 1 << 20, 64 << 10);
    private final FakeMemory targetCmb = new FakeMemory("t", 1 << 20);
    private final FakeMemory sourceCmb = new FakeMemory("s", 1 << 20);
    private final FakeMemory thirdCmb = new FakeMemory("x", 1 << 20);
    private final BufferCandidate atTarget = new BufferCandidate("t", FakeWorld.TARGET, targetCmb);
    private final BufferCandidate atSource = new BufferCandidate("s", FakeWorld.SOURCE, sourceCmb);
    private final BufferCandidate atThird = new BufferCandidate("x", FakeWorld.THIRD, thirdCmb);
    private List<BufferCandidate> candidates = List.of(atThird, atSource, atTarget);
    private CopyOptions options = CopyOptions.DEFAULTS;
    private long sourceLba;
    private long targetLba = 512;
    private long bytes = 64 << 10;

    private CopyPlan plan() {
        return plan(world.machine());
    }

    private CopyPlan plan(Machine machine) {
        return Planner.plan(
                new CopyRequest(
                        new Endpoint("s", source.bdf, "S", "M", 1, source),
                        sourceLba,
                        new Endpoint("t", target.bdf, "T", "M", 1, target),
                        targetLba,
                        bytes,
                        candidates,
                        List.of("y: no CMB"),
                        options),
                machine);
    }

    private PeerlaneException refusal(Category category, String code) {
        PeerlaneException e = catchThrowableOfType(PeerlaneException.class, this::plan);
        assertThat(e).isNotNull();
        assertThat(e.code()).isEqualTo(code);
        assertThat(e.category()).isEqualTo(category);
        assertThat(e.remedy()).isNotBlank();
        return e;
    }

    /**
     * Returns a machine with source and third party behind one switch, and the target below another
     * root port.
     */
    private static Machine targetApart(Trust writes, Trust reads) {
        return apart(FakeWorld.TARGET, FakeWorld.SOURCE, writes, reads);
    }

    /**
     * Returns a machine with the third party and another device behind one switch, and one device
     * below another root port.
     */
    private static Machine apart(Bdf alone, Bdf other, Trust writes, Trust reads) {
        List<PciFunction> all = new ArrayList<>();
        Bdf up = new Bdf(0, 1, 0, 0);
        all.add(bridge(up, null, PciFunction.Kind.SWITCH_UPSTREAM));
        all.add(endpoint(other, up));
        all.add(endpoint(FakeWorld.THIRD, up));
        all.add(endpoint(alone, null));
        return new Machine(all, new RootComplex(writes, reads, "a test"));
    }

    private static PciFunction bridge(Bdf bdf, Bdf parent, PciFunction.Kind kind) {
        return new PciFunction(bdf, parent, kind, 1, 2, 0x060400, null, false, List.of(), null);
    }

    private static PciFunction endpoint(Bdf bdf, Bdf parent) {
        return new PciFunction(
                bdf,
                parent,
                PciFunction.Kind.ENDPOINT,
                1,
                2,
                PciFunction.CLASS_NVME,
                null,
                false,
                List.of(),
                null);
    }

    @Test
    void theTargetsCmbComesFirst() {
        CopyPlan plan = plan();
        assertThat(plan.kind()).isEqualTo(BufferKind.TARGET_CMB);
        assertThat(plan.fence()).isEqualTo("sentinel");
        assertThat(plan.verify()).isEqualTo(VerifyMethod.TARGET_COMPARE);
        assertThat(plan.legs()).extracting(Leg::direction).containsExactly("write", "read");
        assertThat(plan.announcements()).isEmpty();
    }

    @Test
    void theSourcesComesSecondAndNeedsNoFence() {
        targetCmb.wds = false;
        CopyPlan plan = plan();
        assertThat(plan.kind()).isEqualTo(BufferKind.SOURCE_CMB);
        assertThat(plan.fence()).isEqualTo("none");
        assertThat(plan.verify()).isEqualTo(VerifyMethod.SOURCE_COMPARE);
        assertThat(plan.reasons()).anyMatch(r -> r.contains("CMBSZ.WDS = 0"));
    }

    @Test
    void aThirdPartysNeedsNeitherRdsNorWds() {
        targetCmb.wds = false;
        sourceCmb.rds = false;
        thirdCmb.wds = false;
        thirdCmb.rds = false;
        CopyPlan plan = plan();
        assertThat(plan.kind()).isEqualTo(BufferKind.THIRD_PARTY_CMB);
        assertThat(plan.verify()).isEqualTo(VerifyMethod.SOURCE_COMPARE);
    }

    @Test
    void noPeerReadGoesThroughARootComplexWhereAPlanWithoutOneExists() {
        CopyPlan plan = plan(targetApart(Trust.TRUSTED, Trust.TRUSTED));
        assertThat(plan.kind()).isEqualTo(BufferKind.TARGET_CMB);
        candidates = List.of(atSource, atThird);
        assertThat(plan(targetApart(Trust.TRUSTED, Trust.TRUSTED)).kind())
                .isEqualTo(BufferKind.SOURCE_CMB);
    }

    @Test
    void aThirdPartyBesideTheTargetIsBetterThanReadingTheSourceThroughTheRoot() {
        candidates = List.of(atSource, atThird);
        Machine machine = apart(FakeWorld.SOURCE, FakeWorld.TARGET, Trust.TRUSTED, Trust.TRUSTED);
        assertThat(plan(machine).buffer()).isEqualTo(atThird);
    }

    @Test
    void ofTwoThirdPartiesTheOneWithFewerCrossingsIsTaken() {
        Bdf far = new Bdf(0, 6, 0, 0);
        Machine apart = targetApart(Trust.TRUSTED, Trust.TRUSTED);
        List<PciFunction> all = new ArrayList<>(apart.functions());
        all.add(endpoint(far, null));
        Machine machine = new Machine(all, apart.rootComplex());
        BufferCandidate atFar = new BufferCandidate("z", far, new FakeMemory("z", 1 << 20));
        for (List<BufferCandidate> order :
                List.of(List.of(atFar, atThird), List.of(atThird, atFar))) {
            candidates = order;
            CopyPlan plan = plan(machine);
            assertThat(plan.buffer()).isEqualTo(atThird);
            assertThat(plan.reasons().getFirst()).startsWith("third-party-cmb x: ");
        }
        candidates = List.of(atFar);
        assertThat(plan(machine).buffer()).isEqualTo(atFar);
    }

    @Test
    void whatMayNotCarryTheDataIsNamedLast() {
        targetCmb.wds = false;
        candidates = List.of(atTarget, atThird, atSource);
        assertThat(plan().reasons())
                .satisfiesExactly(
                        r -> assertThat(r).startsWith("source-cmb s: "),
                        r -> assertThat(r).startsWith("third-party-cmb x: "),
                        r -> assertThat(r).startsWith("target-cmb t: its CMB may not hold"),
                        r -> assertThat(r).isEqualTo("y: no CMB"),
                        r -> assertThat(r).startsWith("fence none: "));
    }

    @Test
    void whereNoRouteIsTrustedHostMemoryCarriesTheDataAndThatIsSaid() {
        CopyPlan plan = plan(targetApart(Trust.UNKNOWN, Trust.UNKNOWN));
        assertThat(plan.kind()).isEqualTo(BufferKind.HOST);
        assertThat(plan.announcements())
                .anyMatch(a -> a.contains("host memory") && a.contains("untrusted"));
        assertThat(plan.verify()).isEqualTo(VerifyMethod.HOST);
    }

    @Test
    void aChosenBufferNeverFallsBack() {
        options = options.withBuffer(BufferChoice.TARGET);
        targetCmb.wds = false;
        assertThat(refusal(Category.MACHINE, "cmb-unfit")).hasMessageContaining("WDS = 0");
        candidates = List.of(atSource);
        assertThat(refusal(Category.MACHINE, "no-cmb")).hasMessageContaining("y: no CMB");
        assertThat(refusal(Category.MACHINE, "no-cmb").values()).containsKey("buffer");
    }

    @Test
    void aChosenBufferWithoutAPermittedRouteIsRefused() {
        options = options.withBuffer(BufferChoice.SOURCE);
        PeerlaneException e =
                catchThrowableOfType(
                        PeerlaneException.class,
                        () -> plan(targetApart(Trust.TRUSTED, Trust.REFUSED)));
        assertThat(e.code()).isEqualTo("no-permitted-route");
        assertThat(e.category()).isEqualTo(Category.REFUSED);
        assertThat(e).hasMessageContaining("reads of t from it");
    }

    @ParameterizedTest
    @CsvSource({
        // which function of the route, its condition: category, code, remedy
        "0000:03:00.0, cut, REFUSED, config-unreadable, Run as root",
        "0000:02:01.0, cut, REFUSED, config-unreadable, Run as root",
        "0000:01:00.0, asleep, REFUSED, suspended, Wake it",
        "0000:04:00.0, asleep, REFUSED, suspended, Wake it",
        "0000:02:00.0, contained, MACHINE, dpc-triggered, Power-cycle the slot",
    })
    void aWayThatMayStopPacketsIsNotTaken(
            String bdf, String how, Category category, String code, String remedy) {
        Machine machine =
                new Machine(
                        world.machine().functions().stream()
                                .map(f ->
                                        f.bdf().equals(Bdf.parse(bdf))
                                                ? f.with(Details.of(how))
                                                : f)
                                .toList(),
                        world.root);
        CopyPlan plan = plan(machine);
        assertThat(plan.kind()).isEqualTo(BufferKind.HOST);
        assertThat(plan.verify()).isEqualTo(VerifyMethod.HOST);
        assertThat(plan.reasons()).anyMatch(r -> r.endsWith("[" + code + "]"));
        options = options.withBuffer(BufferChoice.TARGET);
        PeerlaneException e = catchThrowableOfType(PeerlaneException.class, () -> plan(machine));
        assertThat(e.category()).isEqualTo(category);
        assertThat(e).hasMessageContaining(bdf).hasMessageEndingWith("[" + code + "]");
        assertThat(e.remedy()).startsWith(remedy);
    }

    @Test
    void relaxedOrderingMakesEveryFenceUnsound() {
        world.relaxedOrdering = true;
        CopyPlan plan = plan();
        assertThat(plan.kind()).isEqualTo(BufferKind.SOURCE_CMB);
        assertThat(plan.reasons()).anyMatch(r -> r.contains("Relaxed Ordering"));
        assertThat(plan.verify()).isEqualTo(VerifyMethod.HOST);
        assertThat(plan.announcements()).anyMatch(a -> a.contains("Relaxed Ordering"));
    }

    @Test
    void aCmbThatHoldsNoSlotIsNotChosen() {
        FakeMemory small = new FakeMemory("t", 1023);
        small.overtaken = true;
        candidates = List.of(new BufferCandidate("t", FakeWorld.TARGET, small));
        assertThat(plan().kind()).isEqualTo(BufferKind.HOST);
        options = options.withBuffer(BufferChoice.TARGET);
        assertThat(refusal(Category.MACHINE, "cmb-unfit"))
                .hasMessageContaining("1023")
                .hasMessageContaining("1024");
    }

    @Test
    void verificationWithoutHostMemoryThatIsImpossibleIsRefusedWhenAskedFor() {
        options = options.withVerify(VerifyMode.PEER).withBuffer(BufferChoice.HOST);
        candidates = List.of();
        refusal(Category.MACHINE, "no-peer-verify");
    }

    /** Plans a copy through host memory that only a third party's CMB can verify. */
    private void verifiedAtThird(FakeMemory memory) {
        options = options.withVerify(VerifyMode.PEER).withBuffer(BufferChoice.HOST);
        candidates = List.of(new BufferCandidate("x", FakeWorld.THIRD, memory));
    }

    private void notVerifiable(Machine machine, String why) {
        PeerlaneException e = catchThrowableOfType(PeerlaneException.class, () -> plan(machine));
        assertThat(e).isNotNull();
        assertThat(e.code()).isEqualTo("no-peer-verify");
        assertThat(e).hasMessageContaining(why);
    }

    @Test
    void aThirdPartysCmbVerifiesWhereTheSourceMayWriteToItAndTheTargetReadFromIt() {
        verifiedAtThird(thirdCmb);
        assertThat(plan().verify()).isEqualTo(VerifyMethod.CONTROLLED_COMPARE);
        assertThat(plan().kind()).isEqualTo(BufferKind.HOST);
        assertThat(plan().reasons()).contains("host: requested");
        notVerifiable(
                targetApart(Trust.TRUSTED, Trust.REFUSED),
                "the CMB of x: reads of t from it: refused");
        Machine sourceApart =
                apart(FakeWorld.SOURCE, FakeWorld.TARGET, Trust.REFUSED, Trust.TRUSTED);
        notVerifiable(sourceApart, "the CMB of x: writes of s into it: refused");
    }

    @Test
    void aThirdPartysCmbDoesNotVerifyWhereWritesPassEachOtherOrFindNoRoom() {
        verifiedAtThird(thirdCmb);
        Machine split =
                world.machine().withSplitWrites(Set.of(Set.of(FakeWorld.SOURCE, FakeWorld.THIRD)));
        notVerifiable(split, "the CMB of x: writes of s into it take several routes");
        world.relaxedOrdering = true;
        notVerifiable(world.machine(), "Relaxed Ordering is on at " + FakeWorld.SOURCE);
        world.relaxedOrdering = false;
        verifiedAtThird(new FakeMemory("x", 511));
        notVerifiable(world.machine(), "the CMB of x: 511 bytes are free, 1024 are needed");
    }

    @Test
    void aBufferThatIsNamedIsTheOneThatIsTaken() {
        options = options.withBuffer(BufferChoice.device("x"));
        assertThat(plan().kind()).isEqualTo(BufferKind.THIRD_PARTY_CMB);
        candidates = List.of(atTarget, atSource);
        assertThat(catchThrowableOfType(PeerlaneException.class, this::plan)).isNotNull();
    }

    @Test
    void wrongRangesAreRefusedByName() {
        sourceLba = 2048;
        assertThat(refusal(Category.REQUEST, "range-past-end"))
                .hasMessageContaining("2048")
                .hasMessageContaining("s/n1");
        sourceLba = 2000;
        assertThat(refusal(Category.REQUEST, "range-past-end"))
                .hasMessageContaining("128 blocks from block 2000 on");
        sourceLba = Long.MAX_VALUE - 3;
        refusal(Category.REQUEST, "range-past-end");
        sourceLba = 0;
        targetLba = 2047;
        assertThat(refusal(Category.REQUEST, "range-past-end")).hasMessageContaining("t/n1");
        targetLba = 0;
        bytes = 0;
        refusal(Category.REQUEST, "empty-range");
        bytes = 1000;
        assertThat(refusal(Category.REQUEST, "not-whole-blocks")).hasMessageContaining("512-byte");
    }

    @Test
    void overlappingRangesOfOneNamespaceAreRefused() {
        target = new FakePort(world, FakeWorld.SOURCE, 512, 1 << 20, 64 << 10);
        targetLba = 127;
        assertThat(refusal(Category.REQUEST, "ranges-overlap")).hasMessageContaining("127");
        targetLba = 128;
        candidates = List.of(atSource);
        assertThat(plan().kind()).isEqualTo(BufferKind.TARGET_CMB);
        assertThat(plan().fence()).as("it writes its own memory").isEqualTo("none");
    }

    @Test
    void aChunkThatDoesNotFitIsRefused() {
        options = options.withSlots(1000, 4);
        refusal(Category.REQUEST, "bad-chunk");
        options = options.withSlots(128 << 10, 4);
        assertThat(refusal(Category.REQUEST, "bad-chunk")).hasMessageContaining("131072");
    }

    @Test
    void aBlockLongerThanTheOtherSidesTransfersIsRefused() {
        source = new FakePort(world, FakeWorld.SOURCE, 512, 1 << 20, 4096);
        target = new FakePort(world, FakeWorld.TARGET, 8192, 1 << 20, 64 << 10);
        targetLba = 0;
        refusal(Category.MACHINE, "blocks-do-not-fit");
    }

    @Test
    void slotsAreCutToWhatTheMemoryHolds() {
        for (long free : new long[] {1024, 4096, 8192, 10_000, 65_536, 1 << 20, 64 << 20}) {
            for (int unit : new int[] {512, 4096}) {
                Geometry g = Geometry.fit(free, unit, 128 << 10, true, 0, 0);
                if (free < Geometry.minimumBytes(unit, true)) {
                    assertThat(g).isNull();
                    continue;
                }
                assertThat(g).as("free %d, unit %d", free, unit).isNotNull();
                assertThat(g.totalBytes()).isLessThanOrEqualTo(free);
                assertThat(g.chunkBytes() % unit).isZero();
                assertThat(g.slots()).isBetween(1, 64);
                assertThat(g.sentinels()).isBetween(1, 2);
            }
        }
        assertThat(Geometry.fit(64 << 20, 512, 128 << 10, true, 0, 0).chunkBytes())
                .isEqualTo(128 << 10);
        assertThat(Geometry.fit(1 << 20, 512, 128 << 10, true, 0, 0))
                .isEqualTo(new Geometry(32 << 10, 31, 2, 512));
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY", "READBACK", "NONE"})
    void theFenceIsTheOneThatIsAskedFor(FenceChoice fence) {
        options = options.withFence(fence);
        assertThat(plan().fence()).isEqualTo(fence.label());
    }

    @Test
    void aMissingFenceIsAnnouncedWhereOneIsNeeded() {
        options = options.withFence(FenceChoice.NONE);
        assertThat(plan().announcements()).singleElement().asString().contains("No fence is used");
        options = options.withBuffer(BufferChoice.SOURCE);
        assertThat(plan().announcements()).isEmpty();
        options = options.withFence(FenceChoice.CANARY);
        assertThat(plan().fence()).isEqualTo("none");
        assertThat(plan().announcements()).singleElement().asString().contains("is not used");
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "CANARY", "READBACK"})
    void noFenceIsSoundWithRelaxedOrdering(FenceChoice fence) {
        world.relaxedOrdering = true;
        options = options.withBuffer(BufferChoice.TARGET).withFence(fence);
        assertThat(refusal(Category.MACHINE, "cmb-unfit")).hasMessageContaining("Relaxed Ordering");
    }

    @Test
    void readingBackNeedsADirectRoute() {
        options = options.withBuffer(BufferChoice.TARGET).withFence(FenceChoice.READBACK);
        Machine apart = targetApart(Trust.TRUSTED, Trust.TRUSTED);
        PeerlaneException e = catchThrowableOfType(PeerlaneException.class, () -> plan(apart));
        assertThat(e.code()).isEqualTo("cmb-unfit");
        assertThat(e).hasMessageContaining("direct route across a switch");
    }

    /** The table of docs/p2p.md, "auto", row by row. */
    @ParameterizedTest
    @CsvSource({
        // room for a sentinel, direct route, loads overtake: fence, or "" for host memory
        "true, true, false, sentinel",
        "true, true, true, sentinel",
        "true, false, false, sentinel",
        "true, false, true, sentinel",
        "false, true, false, readback",
        "false, true, true, ''",
        "false, false, false, ''",
        "false, false, true, ''",
    })
    void theFenceFollowsFromRoomWayAndCmbebs(
            boolean room, boolean direct, boolean overtaken, String fence) {
        FakeMemory memory = new FakeMemory("t", room ? 1 << 20 : 512);
        memory.overtaken = overtaken;
        candidates = List.of(new BufferCandidate("t", FakeWorld.TARGET, memory));
        Machine machine = direct ? world.machine() : targetApart(Trust.TRUSTED, Trust.TRUSTED);
        CopyPlan plan = plan(machine);
        assertThat(plan.kind())
                .isEqualTo(fence.isEmpty() ? BufferKind.HOST : BufferKind.TARGET_CMB);
        assertThat(plan.fence()).isEqualTo(fence.isEmpty() ? "none" : fence);
        assertThat(plan.mayBeBeaten()).isEqualTo(!fence.equals("sentinel"));
        if (!fence.isEmpty()) {
            assertThat(plan.reasons()).anyMatch(r -> r.startsWith("fence " + fence + ": "));
        }
        assertThat(plan.announcements().stream().anyMatch(a -> a.contains("The readback fence")))
                .isEqualTo(fence.equals("readback"));
    }

    @Test
    void aCmbThatMustBeReadBackComesAfterOneThatNeedsNot() {
        BufferCandidate small =
                new BufferCandidate("t", FakeWorld.TARGET, new FakeMemory("t", 512));
        candidates = List.of(small, atThird);
        assertThat(plan().kind()).isEqualTo(BufferKind.THIRD_PARTY_CMB);
        assertThat(plan().fence()).isEqualTo("sentinel");
        candidates = List.of(small);
        assertThat(plan().fence()).isEqualTo("readback");
        options = options.withFence(FenceChoice.SENTINEL).withBuffer(BufferChoice.TARGET);
        assertThat(refusal(Category.MACHINE, "cmb-unfit")).hasMessageContaining("1024 are needed");
    }

    @Test
    void readingBackIsRefusedWhereLoadsOvertakeWrites() {
        options = options.withBuffer(BufferChoice.TARGET).withFence(FenceChoice.READBACK);
        targetCmb.overtaken = true;
        assertThat(refusal(Category.MACHINE, "cmb-unfit")).hasMessageContaining("CMBEBS.CMBRBB");
        targetCmb.overtaken = false;
        assertThat(plan().announcements()).anyMatch(a -> a.contains("no register promises"));
    }

    @Test
    void theReasonOfTheFenceIsInThePlan() {
        assertThat(plan().reasons())
                .contains("fence sentinel: another device's memory, writes on one route");
        options = options.withFence(FenceChoice.CANARY);
        assertThat(plan().reasons()).contains("fence canary: requested");
        options = CopyOptions.DEFAULTS.withBuffer(BufferChoice.SOURCE);
        assertThat(plan().reasons()).contains("fence none: the source writes its own memory");
    }
}
