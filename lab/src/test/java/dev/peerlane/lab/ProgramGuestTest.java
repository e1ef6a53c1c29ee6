package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.lab.guest.Copies;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The program on real drivers; the BARs that hold the CMBs lie above 4 GiB. */
@Tag("guest")
class ProgramGuestTest {
    private static final int REGION_BYTES = (int) Copies.BLOCKS * 512;

    /** Commands a second: what is interrupted would last a minute on the fastest machine. */
    private static final int SLOW = 16;

    private static GuestRun run;

    @BeforeAll
    static void boot() {
        run =
                Guest.named("program")
                        .limit(Duration.ofMinutes(6))
                        .iommu(39)
                        .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd1").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd2").behindSwitch("sw").cmbMib(4).iops(SLOW))
                        .prepare((drive, image) -> {
                            if (drive.equals("ssd0")) {
                                Data.write(image, 0, Data.random(4, 16 << 20));
                            }
                        })
                        .highBars()
                        .tests(
                                "program-bind",
                                "program-copy",
                                "program-sigint",
                                "program-sigterm",
                                "program-unbind")
                        .run();
    }

    @AfterAll
    static void close() {
        run.close();
    }

    @Test
    void theProgramCopiesThroughACmbAbove4Gib() throws IOException {
        assertThat(run.passed("program-copy")).containsPattern("\"address\" : \"0x[0-9a-f]{9,}\"");
        int at = 13 * REGION_BYTES;
        assertThat(Data.read(run.image("ssd1"), at, REGION_BYTES))
                .isEqualTo(Data.read(run.image("ssd0"), at, REGION_BYTES));
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
