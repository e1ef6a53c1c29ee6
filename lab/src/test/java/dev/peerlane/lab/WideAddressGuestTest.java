package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.lab.guest.Copies;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Tests BARs above 512 GiB, which an IOMMU with 48 address bits can reach but one with 39 can't.
 */
@Tag("guest")
class WideAddressGuestTest {
    private static Guest guest(String name, int addressBits) {
        return Guest.named(name)
                .iommu(addressBits)
                .memory("1G,slots=1,maxmem=700G") // the window for BARs begins above this
                .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(4))
                .drive(Drive.named("ssd1").behindSwitch("sw").cmbMib(4))
                .prepare((drive, image) -> {
                    if (drive.equals("ssd0")) {
                        Data.write(image, 0, Data.random(5, 16 << 20));
                    }
                })
                .highBars()
                .step("bind ssd0 ssd1");
    }

    private static byte[] region(GuestRun run, String drive, int number) throws IOException {
        int bytes = (int) Copies.BLOCKS * 512;
        return Data.read(run.image(drive), (long) number * bytes, bytes);
    }

    @Test
    void aBarBeyondTheIommuIsRefusedWithItsWidthAndOnlyAutoFallsBack() throws IOException {
        try (GuestRun run = guest("beyond-39", 39).tests("beyond-39-bits", "beyond-auto").run()) {
            assertThat(run.passed("beyond-39-bits")).contains("0xb0");
            assertThat(region(run, "ssd1", 0)).containsOnly(0);
            run.passed("beyond-auto");
            assertThat(region(run, "ssd1", 1)).isEqualTo(region(run, "ssd0", 1));
        }
    }

    @Test
    void anIommuOf48BitsReachesIt() throws IOException {
        try (GuestRun run = guest("within-48", 48).tests("copy-target").run()) {
            assertThat(run.passed("copy-target")).contains("address=0xb0");
            assertThat(region(run, "ssd1", 0)).isEqualTo(region(run, "ssd0", 0));
        }
    }
}
