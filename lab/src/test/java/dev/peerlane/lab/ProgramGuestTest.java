package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.lab.guest.Copies;
import dev.peerlane.lab.guest.GuestTests;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the program on real drivers. The BARs with the CMBs are above 4 GiB. */
@Tag("guest")
class ProgramGuestTest {
    private static final int REGION_BYTES = (int) Copies.BLOCKS * 512;

    /**
     * Commands per second, so that an interrupted copy would take a minute on the fastest machine.
     */
    private static final int SLOW = 16;

    private static final int DRIVE_BYTES = 16 << 20;

    @AutoClose private static GuestRun run;

    @BeforeAll
    static void boot() {
        run =
                Guest.named("program")
                        .limit(Duration.ofMinutes(8))
                        .iommu(39)
                        .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd1").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd2").behindSwitch("sw").cmbMib(4).iops(SLOW))
                        .prepare((drive, image) -> {
                            if (drive.equals("ssd0")) {
                                Data.write(image, 0, Data.random(4, DRIVE_BYTES));
                            }
                        })
                        .highBars()
                        .tests(
                                "program-bind",
                                "program-copy",
                                "litmus-none",
                                "litmus-readback",
                                "litmus-canary",
                                "litmus-sentinel",
                                "program-sigint",
                                "program-sigterm",
                                "program-unbind")
                        .run();
    }

    @Test
    void theProgramCopiesThroughACmbAbove4Gib() throws IOException {
        assertThat(run.passed("program-copy")).containsPattern("\"address\" : \"0x[0-9a-f]{9,}\"");
        int at = 13 * REGION_BYTES;
        assertThat(Data.read(run.image("ssd1"), at, REGION_BYTES))
                .isEqualTo(Data.read(run.image("ssd0"), at, REGION_BYTES));
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "readback", "canary", "sentinel"})
    void litmusCountsHandOffsThroughTheCmbAndFindsNoneStale(String fence) {
        run.passed("litmus-" + fence);
    }

    @Test
    void litmusOverwritesTheScratchRangeOfBothDrivesAndNothingElse() throws IOException {
        run.passed("litmus-sentinel");
        int scratch = GuestTests.LITMUS_REGION * REGION_BYTES;
        byte[] before = Data.random(4, DRIVE_BYTES);
        byte[] source = Data.read(run.image("ssd0"), 0, DRIVE_BYTES);
        byte[] target = Data.read(run.image("ssd1"), 0, DRIVE_BYTES);
        byte[] pattern = Arrays.copyOfRange(source, scratch, scratch + REGION_BYTES);
        assertThat(pattern)
                .isEqualTo(Arrays.copyOfRange(target, scratch, scratch + REGION_BYTES))
                .isNotEqualTo(Arrays.copyOfRange(before, scratch, scratch + REGION_BYTES));

        byte[] wantedSource = before.clone();
        System.arraycopy(pattern, 0, wantedSource, scratch, REGION_BYTES);
        assertThat(Arrays.mismatch(source, wantedSource)).isEqualTo(-1);

        byte[] wantedTarget = new byte[DRIVE_BYTES];
        int copied = 13 * REGION_BYTES;
        System.arraycopy(before, copied, wantedTarget, copied, REGION_BYTES);
        System.arraycopy(pattern, 0, wantedTarget, scratch, REGION_BYTES);
        assertThat(Arrays.mismatch(target, wantedTarget)).isEqualTo(-1);
    }

    @Test
    void theProgramBindsAndUnbinds() {
        run.passed("program-bind");
        run.passed("program-unbind");
    }

    @Test
    void anInterruptedCopyEndsInOrderAndLeavesNothingInTheCmb() {
        run.passed("program-sigint");
    }

    @Test
    void aTerminatedCopyPutsTheDriversBack() {
        run.passed("program-sigterm");
    }
}
