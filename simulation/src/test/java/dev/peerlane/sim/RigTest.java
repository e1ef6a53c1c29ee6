package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.copy.CopyOptions;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests that leaks are found, and excused only if something went wrong. */
class RigTest {
    private final List<String> found = new ArrayList<>();
    private final EmulatedFabric fabric = new EmulatedFabric(model());
    private final SlotLedger slots = new SlotLedger(found::add);
    private final MappingLedger mappings = new MappingLedger(fabric.dma(), found::add);
    private final Checkers checkers = new Checkers(slots, mappings, fault -> {}, found::add);
    private final Rig rig =
            new Rig(
                    fabric,
                    List.of("emu:a", "emu:b"),
                    slots,
                    mappings,
                    checkers,
                    new Story(fabric, line -> {}),
                    found::add);

    private static FabricModel model() {
        FabricModel.Builder model = FabricModel.builder().time(FabricModel.Time.VIRTUAL);
        for (String name : List.of("a", "b")) {
            CmbModel cmb = CmbModel.of(64 << 10);
            model.drive(DriveModel.named(name).memory(World.MEDIUM_BYTES, 512).cmb(cmb).build());
        }
        return model.build();
    }

    @AfterEach
    void close() {
        fabric.close();
    }

    private static final Rig.Watcher NOBODY =
            new Rig.Watcher() {
                @Override
                public void posted() {}

                @Override
                public void polling() {}
            };

    private final Rig.Ports ports = new Rig.Ports();

    private void openPorts() {
        World.Copy copy = new World.Copy(0, 1, 0, 0, 4096, CopyOptions.DEFAULTS, List.of());
        rig.open();
        rig.request(copy, ports, new PhaseTracker(copy.bytes(), phase -> {}), NOBODY);
    }

    @Test
    void aCopyThatReleasesEverythingPasses() {
        openPorts();
        rig.ended(ports);
        rig.close(ports);
        rig.checkMemory();
        rig.close();
        assertThat(found).isEmpty();
    }

    @Test
    void aSlotThatIsNeverReleasedIsFound() {
        rig.open();
        rig.candidates().getLast().memory().allocate(4096, 4096);
        rig.checkMemory();
        assertThat(found).containsExactly("emu:b has lost memory of its CMB");
    }

    @Test
    void aControllerThatDoesNotCloseIsFound() {
        rig.open();
        fabric.arm(Fault.at(Fault.Kind.SUDDEN_REMOVAL, "a"));
        fabric.clock().turn();
        rig.close();
        assertThat(found)
                .singleElement()
                .asString()
                .startsWith("it did not close: ")
                .contains("emu:a");
    }

    @Test
    void aControllerWithAFaultNeedNotClose() {
        fabric.watch(checkers);
        checkers.drive("a", fabric.bdf("a"), 0);
        checkers.drive("b", fabric.bdf("b"), 0);
        rig.open();
        fabric.arm(Fault.at(Fault.Kind.SUDDEN_REMOVAL, "a"));
        fabric.clock().turn();
        rig.close();
        assertThat(found).isEmpty();
    }
}
