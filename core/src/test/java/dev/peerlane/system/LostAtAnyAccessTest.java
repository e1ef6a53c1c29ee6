package dev.peerlane.system;

import static dev.peerlane.system.EmulatedPair.MIB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.CmbField;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.spec.wire.Cmbsz;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A drive that is pulled out, reset or disabled between any two accesses to it, from its bring-up
 * to its close, with a reset by its owner in between: the first error says that it is gone or was
 * reset, and nothing stays allocated.
 */
class LostAtAnyAccessTest {
    private static final String DRIVE = "emu:a";
    private static final int MOST = 2_000;
    private static final ControllerOptions OPTIONS =
            ControllerOptions.DEFAULTS.withTimeoutNanos(20_000_000);

    /** How it is lost. */
    enum Loss {
        REMOVAL,
        REMOVAL_WITH_CONFIG,
        RESET,
        DISABLE,
        FUNCTION_LEVEL_RESET;

        /** What the first error may say. */
        Set<String> codes() {
            return switch (this) {
                case REMOVAL, REMOVAL_WITH_CONFIG -> Set.of("controller-gone");
                case RESET, DISABLE -> Set.of("controller-reset");
                case FUNCTION_LEVEL_RESET -> Set.of("controller-reset", "controller-gone");
            };
        }

        void strike(EmulatedFabric fabric) {
            switch (this) {
                case REMOVAL, REMOVAL_WITH_CONFIG -> sudden(fabric, Fault.Kind.SUDDEN_REMOVAL);
                case RESET -> sudden(fabric, Fault.Kind.SUDDEN_RESET);
                case DISABLE -> sudden(fabric, Fault.Kind.SUDDEN_DISABLE);
                case FUNCTION_LEVEL_RESET -> {
                    ConfigSpace config = fabric.config(fabric.bdf("a"));
                    int control = config.capability(ConfigSpace.CAP_PCI_EXPRESS).orElseThrow() + 8;
                    config.store16(control, config.load16(control) | 1 << 15);
                }
            }
        }

        private static void sudden(EmulatedFabric fabric, Fault.Kind kind) {
            fabric.arm(Fault.at(kind, "a"));
            fabric.clock().turn();
        }

        boolean isRemoval() {
            return this == REMOVAL || this == REMOVAL_WITH_CONFIG;
        }
    }

    /** One life of a controller. */
    private static final class Life {
        private final EmulatedFabric emulated;
        private final AnyAccessFabric fabric;
        private final ControllerOptions options;
        private boolean closing;
        private boolean struckInClose;

        Life(CmbModel cmb, Loss loss, int at, ControllerOptions options) {
            DriveModel drive = DriveModel.named("a").memory(MIB, 512).cmb(cmb).build();
            emulated =
                    new EmulatedFabric(
                            FabricModel.builder()
                                    .drive(drive)
                                    .time(FabricModel.Time.VIRTUAL)
                                    .build());
            this.options = options;
            AnyAccessFabric[] self = new AnyAccessFabric[1];
            self[0] =
                    new AnyAccessFabric(
                            emulated,
                            at,
                            () -> {
                                struckInClose = closing;
                                loss.strike(emulated);
                                self[0].noConfig = loss == Loss.REMOVAL_WITH_CONFIG;
                            });
            fabric = self[0];
        }

        /** Returns the first error, or null. */
        @Nullable PeerlaneException live() {
            Controller controller;
            try {
                controller = Controller.open(fabric, DRIVE, options);
            } catch (PeerlaneException e) {
                return e;
            }
            PeerlaneException first = null;
            PeerBuffer piece = null;
            try (DmaBuffer host = fabric.dma().allocate(16384)) {
                ControllerMemoryBuffer cmb = controller.requireCmb();
                cmb.enable(fabric.dma());
                Cmbsz now = new Cmbsz((int) CmbField.raw(cmb.describe(), "CMBSZ"));
                assertThat(now.sizeBytes()).isEqualTo(cmb.sizeBytes());
                piece = cmb.allocate(4096, 4096);
                Namespace ns = controller.namespace(1);
                ns.write(host, 0, 0, 32);
                ns.read(piece, 0, 0, 8);
                ns.compare(piece, 0, 0, 8);
                controller.reset();
                ns.flush();
                cmb.checkHealth();
            } catch (PeerlaneException e) {
                first = e;
            }
            closing = true;
            if (piece != null) {
                piece.close();
            }
            controller.close();
            return first;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "REMOVAL, V1_4, 4",
        "REMOVAL, V1_4, 0",
        "REMOVAL, V1_2, 0",
        "REMOVAL_WITH_CONFIG, V1_4, 0",
        "RESET, V1_4, 4",
        "RESET, V1_4, 0",
        "RESET, V1_2, 0",
        "DISABLE, V1_4, 0",
        "FUNCTION_LEVEL_RESET, V1_4, 0",
    })
    void firstErrorSaysThatItIsGoneOrWasReset(Loss loss, CmbModel.Version version, int events) {
        CmbModel cmb = CmbModel.of(64 << 10).withVersion(version);
        int failures = 0;
        int enabledBlind = 0;
        for (int k = 1; k < MOST; k++) {
            Life life = new Life(cmb, loss, k, OPTIONS.withAsyncEvents(events));
            PeerlaneException error = life.live();
            String where = "%s before access %d".formatted(loss, k);
            if (error != null) {
                failures++;
                assertThat(error.code()).as("%s: %s", where, error).isIn(loss.codes());
                assertThat(error).as(where).hasMessageContaining(DRIVE);
            } else if (loss.isRemoval() && life.fabric.happened()) {
                assertThat(life.struckInClose).as("%s was not noticed", where).isTrue();
            }
            assertThat(life.emulated.dmaAllocations()).as("%s: memory", where).isZero();
            assertThat(life.emulated.peerMappings()).as("%s: mappings", where).isZero();
            assertThat(life.emulated.faults()).as("%s: DMA to nowhere", where).isEmpty();
            enabledBlind +=
                    life.emulated.controller("a").violations().stream()
                                    .anyMatch(v -> v.startsWith("enabled with"))
                            ? 1
                            : 0;
            life.emulated.close();
            if (!life.fabric.happened()) {
                assertThat(error).as("undisturbed").isNull();
                assertThat(failures).isGreaterThan(20);
                // Right before a store of CC.EN nobody can look: at open, at reset, and at close,
                // where CC.SHN is stored with the EN that was just read.
                assertThat(enabledBlind).as("enabled without its queues").isLessThanOrEqualTo(3);
                return;
            }
        }
        fail("the sweep does not end");
    }
}
