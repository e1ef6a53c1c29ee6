package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.lab.guest.Copies;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests a drive that is removed from its slot while data is written to it. */
@Tag("guest")
class UnplugGuestTest {
    private static final int REGION = 18;

    private static byte[] region(GuestRun run, String drive) throws IOException {
        int bytes = (int) Copies.BLOCKS * 512;
        return Data.read(run.image(drive), (long) REGION * bytes, bytes);
    }

    @Test
    void isATypedFaultThatTellsOfBothEndsAndTheOtherDrivesGoOn() throws IOException {
        Guest guest =
                Guest.named("unplug")
                        .limit(Duration.ofMinutes(6))
                        .iommu(39)
                        .drive(Drive.named("ssd0").sizeMib(20).behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd1").sizeMib(20).behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("pulled").sizeMib(20).behindSwitch("sw").cmbMib(4))
                        .prepare((drive, image) -> {
                            if (drive.equals("ssd0")) {
                                Data.write(image, 0, Data.random(9, 20 << 20));
                            }
                        })
                        .step("bind ssd0 ssd1 pulled")
                        .tests("unplug-target");
        try (GuestRun run = guest.run()) {
            assertThat(run.passed("unplug-target")).contains("is gone");
            assertThat(region(run, "pulled")).isNotEqualTo(region(run, "ssd0"));
            assertThat(region(run, "ssd1")).isEqualTo(region(run, "ssd0"));
        }
    }
}
