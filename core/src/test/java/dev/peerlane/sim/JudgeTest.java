package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.emulator.Fault;
import dev.peerlane.p2p.CopyOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A copy that is refused needs a reason, also where its fabric lies, and when it runs again. */
class JudgeTest {
    private final List<String> found = new ArrayList<>();
    private final EmulatedFabric fabric =
            new EmulatedFabric(
                    FabricSpec.builder()
                            .drive(DriveSpec.named("a").memory(World.MEDIUM_BYTES, 512).build())
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
