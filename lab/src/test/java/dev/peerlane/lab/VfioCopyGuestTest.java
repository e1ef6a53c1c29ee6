package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.lab.guest.Copies;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests copies over VFIO behind an IOMMU in one boot, compared in the images: through every kind of
 * buffer, with missing mappings, with failures in the middle, and after a killed run.
 */
@Tag("guest")
class VfioCopyGuestTest {
    private static final int REGION_BYTES = (int) Copies.BLOCKS * 512;

    @AutoClose private static GuestRun run;

    @BeforeAll
    static void boot() {
        run =
                Guest.named("copies")
                        .limit(Duration.ofMinutes(6))
                        .iommu(39)
                        .drive(Drive.named("ssd0").sizeMib(20).behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd1").sizeMib(20).behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd2").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("root").sizeMib(20).cmbMib(4))
                        .drive(Drive.named("pulled").sizeMib(20).behindSwitch("sw").cmbMib(4))
                        .prepare(VfioCopyGuestTest::fill)
                        .step("bind ssd0 ssd1 ssd2 root pulled")
                        .step("echo 32 >/proc/sys/vm/nr_hugepages")
                        .tests(
                                "interrupts",
                                "io-addresses",
                                "copy-target",
                                "copy-source",
                                "copy-third",
                                "copy-host",
                                "copy-root",
                                "copy-root-refused",
                                "copy-huge-pages",
                                "no-access-refused",
                                "probe",
                                "lost-writes",
                                "lost-reads",
                                "lost-reads-peer-verified",
                                "probe-unmapped",
                                "accesses-refused",
                                "revoked-mapping",
                                "reset-source",
                                "reset-target",
                                "decode-off-source",
                                "decode-off-target")
                        .step("echo 0 >/proc/sys/vm/nr_hugepages")
                        .step("start_java dev.peerlane.lab.guest.Copies 11")
                        .step("await /tmp/under-way && kill -9 $! && passed killed $!")
                        .step("wait $!")
                        .tests("after-kill")
                        .testsOfUser(64, "user-limited")
                        .testsOfUser(1 << 20, "user-copy", "user-peer")
                        .run();
    }

    private static void fill(String drive, Path image) throws IOException {
        if (drive.equals("ssd0")) {
            Data.write(image, 0, Data.random(3, 20 << 20));
        }
    }

    private static byte[] region(String drive, int number) throws IOException {
        return Data.read(run.image(drive), (long) number * REGION_BYTES, REGION_BYTES);
    }

    @ParameterizedTest
    @CsvSource({"copy-target, 0", "copy-source, 1", "copy-third, 2", "copy-host, 3"})
    void aCopyThroughAnyMemoryArrives(String test, int region) throws IOException {
        run.passed(test);
        assertThat(region("ssd1", region)).isEqualTo(region("ssd0", region));
    }

    @Test
    void aCopyAcrossTheRootComplexNeedsDeclaredTrust() throws IOException {
        run.passed("copy-root");
        assertThat(region("root", 14)).isEqualTo(region("ssd0", 14));
        run.passed("copy-root-refused");
        assertThat(region("root", 15)).containsOnly(0);
    }

    @Test
    void noDeviceAccessIsRefusedDuringACopy() {
        run.passed("no-access-refused");
    }

    @ParameterizedTest
    @CsvSource({"lost-writes, 4", "lost-reads, 5", "lost-reads-peer-verified, 12"})
    void aMissingMappingIsNoticedThoughEveryCommandSucceeds(String test, int region)
            throws IOException {
        run.passed(test);
        assertThat(region("ssd1", region)).isNotEqualTo(region("ssd0", region));
        run.passed("accesses-refused");
    }

    @Test
    void aProbeSaysWhereTheDataDoesNotArriveThoughTheRouteIsDirect() {
        assertThat(run.passed("probe")).doesNotContain("DIFFERS");
        assertThat(run.passed("probe-unmapped")).contains("which DIFFERS");
    }

    @ParameterizedTest
    @CsvSource({
        "reset-source, 7",
        "reset-target, 8",
        "decode-off-source, 9",
        "decode-off-target, 10",
    })
    void anAccidentInTheMiddleIsATypedFaultAndTheNextCopyWorks(String test, int region)
            throws IOException {
        run.passed(test);
        assertThat(region("ssd1", region)).isEqualTo(region("ssd0", region));
    }

    @Test
    void hostMemoryLiesWhereNothingDecodes() {
        run.passed("io-addresses");
    }

    @Test
    void interruptsArriveInEventCounters() {
        run.passed("interrupts");
    }

    @Test
    void aUserWhoMayLockEnoughMemoryCopiesThroughItAndIsToldWhatOnlyRootMay() throws IOException {
        run.passed("user-limited");
        run.passed("user-copy");
        assertThat(region("ssd1", 17)).isEqualTo(region("ssd0", 17));
    }

    @Test
    void hugePagesAreUsedWhereThereAreAny() throws IOException {
        run.passed("copy-huge-pages");
        assertThat(region("ssd1", 16)).isEqualTo(region("ssd0", 16));
    }

    @Test
    void aRevokedMappingReadsAsAllOnesAndNeverEndsTheProcess() {
        run.passed("revoked-mapping");
    }

    @Test
    void afterAKilledRunTheNextWorksAndLeavesNothingInTheCmb() throws IOException {
        run.passed("killed");
        run.passed("after-kill");
        assertThat(region("ssd1", 6)).isEqualTo(region("ssd0", 6));
    }
}
