package dev.peerlane.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostTest {
    private static int bits(String unit, String file, String value, int vaSize) {
        CapturedFiles files = new CapturedFiles("a test");
        files.put(
                "sys/class/iommu/" + unit + "/" + file, value.getBytes(StandardCharsets.US_ASCII));
        if (vaSize >= 0) {
            byte[] ivrs = new byte[4096];
            ivrs[37] = (byte) (vaSize << 7);
            ivrs[38] = (byte) (vaSize >>> 1);
            files.put("sys/firmware/acpi/tables/IVRS", ivrs);
        }
        int bits = Host.read(files).iommuBits();
        assertThat(Host.read(Capture.take(files, false)).iommuBits()).isEqualTo(bits);
        return bits;
    }

    @ParameterizedTest
    @CsvSource({"8d2008c22f0406,48", "8d2008c2260206,39", "8d2008c22f0206,39", "8d2008c2380e06,57"})
    void intelsWidthComesFromMgawAndSagaw(String cap, int width) {
        assertThat(bits("dmar0", "intel-iommu/cap", cap, -1)).isEqualTo(width);
    }

    @ParameterizedTest
    @CsvSource({"0:0,48", "25bf732fa2295afe:1d,64", "f77ef22294ada:0,64", "400:0,57", "c00:0,0"})
    void amdsWidthComesFromThePageTables(String features, int width) {
        assertThat(bits("ivhd0", "amd-iommu/features", features, -1)).isEqualTo(width);
    }

    @ParameterizedTest
    @CsvSource({"0,64", "40,40", "48,48", "64,64"})
    void amdsIvrsCanLimitTheWidth(int vaSize, int width) {
        assertThat(bits("ivhd0", "amd-iommu/features", "800:0", vaSize)).isEqualTo(width);
    }

    @Test
    void theNarrowestKnownWidthCounts() {
        CapturedFiles files = new CapturedFiles("a test");
        String[][] units = {
            {"dmar0/intel-iommu/cap", "8d2008c22f0406"},
            {"dmar1/intel-iommu/cap", "8d2008c2260206"},
            {"ivhd0/amd-iommu/features", "c00:0"}, // no page tables, so no width
            {"smmu0/name", "an IOMMU that tells nothing"}
        };
        for (String[] unit : units) {
            files.put("sys/class/iommu/" + unit[0], unit[1].getBytes(StandardCharsets.US_ASCII));
        }
        assertThat(Host.read(files).iommuBits()).isEqualTo(39);
    }
}
