package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.engine.CopyJob;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import org.junit.jupiter.api.Test;

/** A drive that goes between the copy and its verification. */
class GoneBeforeVerifyTest {
    private static DriveModel drive(String name) {
        return DriveModel.named(name)
                .memory(64 << 10, 512)
                .volatileWriteCache(false)
                .cmb(CmbModel.of(64 << 10))
                .build();
    }

    @Test
    void isToldAsGoneAndNotAsMemoryThatKeepsNothing() {
        FabricModel model =
                FabricModel.builder()
                        .time(FabricModel.Time.VIRTUAL)
                        .drive(drive("a"))
                        .drive(drive("b"))
                        .build();
        EmulatedFabric fabric = new EmulatedFabric(model);
        try (Session session = Session.of(fabric)) {
            CopyPlan plan =
                    session.plan(
                            Extent.of("emu:a"),
                            Extent.of("emu:b"),
                            CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET).withSeed(1));
            CopyException failed =
                    catchThrowableOfType(
                            CopyException.class,
                            () ->
                                    new CopyJob(
                                                    plan,
                                                    Surroundings.of(session.fabric()),
                                                    new CancelFlag())
                                            .run((phase, done, total) -> {
                                                if (done == total) {
                                                    fabric.arm(
                                                            Fault.at(
                                                                    Fault.Kind.SUDDEN_REMOVAL,
                                                                    "b"));
                                                    fabric.clock().turn();
                                                }
                                            }));
            assertThat(failed.code()).isEqualTo("controller-gone");
            assertThat(failed).hasMessageContaining("emu:b").hasMessageContaining("reads back");
            assertThat(failed.receipt().bytesCopied()).isEqualTo(64 << 10);
        }
    }
}
