package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.measure.LitmusCount;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that a refused copy needs a reason, even on a fabric that lies, and when it runs again. */
class JudgeTest {
    private final List<String> found = new ArrayList<>();
    private final EmulatedFabric fabric =
            new EmulatedFabric(
                    FabricModel.builder()
                            .drive(DriveModel.named("a").memory(World.MEDIUM_BYTES, 512).build())
                            .build());
    private final MappingLedger mappings = new MappingLedger(fabric.dma(), found::add);
    private final Checkers checkers =
            new Checkers(new SlotLedger(found::add), mappings, fault -> {}, found::add);
    private final Judge judge =
            new Judge(
                    new Media(fabric, List.of("emu:a"), 1, found::add),
                    checkers,
                    false,
                    false,
                    found::add);

    @AfterEach
    void close() {
        fabric.close();
    }

    private static World.Copy copy() {
        return new World.Copy(0, 0, 0, 0, 4096, CopyOptions.DEFAULTS, List.of());
    }

    private static PeerlaneException noMemory() {
        return PeerlaneException.machine("no-dma-memory", "no memory for slots", "Give it some");
    }

    @Test
    void aPlannedCopyThatIsRefusedWithoutAFaultIsFound() {
        judge.refused(copy(), noMemory());
        assertThat(found).containsExactly("nothing explains no-dma-memory: no memory for slots");
    }

    @ParameterizedTest
    @ValueSource(strings = {"controller-stopped", "controller-reset"})
    void onlyWhoSharesAControllerMayFindItStoppedAndOnlyAfterAFault(String code) {
        PeerlaneException stopped = PeerlaneException.io(code, "reset", "Again");
        checkers.happens(Fault.at(Fault.Kind.STATUS, "a"));
        judge.refused(copy(), stopped);
        assertThat(found).containsExactly("nothing explains " + code + ": reset");
        judge.crowded();
        judge.refused(copy(), stopped);
        assertThat(found).hasSize(1);
        checkers.forget();
        judge.refused(copy(), stopped);
        assertThat(found).hasSize(2);
    }

    @Test
    void onlyACopyThatWasCancelledMayEndAsCancelled() {
        PeerlaneException interrupted = PeerlaneException.io("interrupted", "stopped", "Again");
        judge.refused(copy(), interrupted);
        judge.cancelled();
        judge.refused(copy(), interrupted);
        assertThat(found).filteredOn(f -> f.contains("nobody cancelled")).hasSize(2);
        found.clear();
        World.Copy asked =
                new World.Copy(
                        copy().task(),
                        copy().source(),
                        copy().target(),
                        copy().bytes(),
                        copy().options(),
                        List.of(),
                        1,
                        null);
        judge.refused(asked, interrupted);
        assertThat(found).isEmpty();
    }

    @Test
    void aSoundFenceWithAStaleHandOffIsFound() {
        Judge honest =
                new Judge(
                        new Media(fabric, List.of("emu:a"), 1, found::add),
                        checkers,
                        true,
                        false,
                        found::add);
        World.Copy same = new World.Copy(0, 0, 0, 0, 4096, CopyOptions.DEFAULTS, List.of());
        honest.counted(same, 2048, new LitmusCount("readback", 40, 1, 3, 0.2, 1, null));
        assertThat(found).isEmpty();
        honest.counted(same, 2048, new LitmusCount("canary", 40, 1, 3, 0.2, 1, null));
        assertThat(found).containsExactly("3 of 40 hand-offs with fence canary are stale");
        found.clear();
        World.Copy apart = new World.Copy(0, 0, 0, 8192, 4096, CopyOptions.DEFAULTS, List.of());
        honest.counted(apart, 2048, new LitmusCount("canary", 40, 1, 0, 0.2, 1, null));
        assertThat(found).containsExactly("the pattern is not the same on both sides");
    }

    @Test
    void aRefusalThatAFaultExplainsPassesUntilTheFaultIsMended() {
        checkers.happens(Fault.ofHost(Fault.Kind.ALLOCATION));
        judge.refused(copy(), noMemory());
        assertThat(found).isEmpty();
        checkers.forget();
        judge.refused(copy(), noMemory());
        assertThat(found).hasSize(1);
    }

    @Test
    void aPlanThatIsNotMadeAgainWithoutFaultsIsFound() {
        judge.again(true, true);
        judge.again(false, false);
        judge.again(false, true);
        assertThat(found).isEmpty();
        judge.again(true, false);
        assertThat(found).containsExactly("after the faults the same copy is refused");
    }
}
