package dev.peerlane.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * Shows how to test a program that uses the library, on emulated drives with injected faults. Time
 * is virtual, so a drive that takes a second costs no real time, and the same seed gives the same
 * run.
 */
class EmulatorInATest {
    private static final int SIZE = 1 << 20;

    /** Describes two drives below one switch, with a latency for the source. */
    private static FabricModel.Builder twoDrives(Duration latency) {
        return FabricModel.builder()
                .seed(1)
                .time(FabricModel.Time.VIRTUAL)
                .drive(
                        DriveModel.named("source")
                                .memory(SIZE, 512)
                                .latencyNanos(latency.toNanos())
                                .build())
                .drive(
                        DriveModel.named("target")
                                .memory(SIZE, 4096)
                                .cmb(CmbModel.of(SIZE))
                                .build());
    }

    private static Receipt copy(FabricModel.Builder fabric) {
        try (Session session = Session.of(new EmulatedFabric(fabric.build()))) {
            return session.copy(
                    Extent.of("emu:source"), Extent.of("emu:target"), CopyOptions.DEFAULTS);
        }
    }

    @Test
    void aSlowDriveCostsOnlyVirtualTime() {
        Receipt receipt = copy(twoDrives(Duration.ofSeconds(1)));
        assertThat(receipt.seconds()).isGreaterThan(1);
        assertThat(receipt.bytesCopied()).isEqualTo(SIZE);
    }

    @Test
    void aBlockThatCannotBeReadEndsTheCopyAndIsNamed() {
        Fault bad =
                Fault.at(Fault.Kind.STATUS, "source")
                        .onIo(NvmOpcode.READ)
                        .withOccasion(3)
                        .withStatus(Status.UNRECOVERED_READ_ERROR | Status.DO_NOT_RETRY);
        CopyException e =
                catchThrowableOfType(
                        CopyException.class, () -> copy(twoDrives(Duration.ZERO).fault(bad)));
        assertThat(e).hasMessageContaining("emu:source").hasMessageContaining("Unrecovered Read");
        assertThat(e.receipt().bytesCopied()).isLessThan(SIZE);
    }
}
