package dev.peerlane.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizesTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "4096, 4096",
        "512KiB, 524288",
        "4MiB, 4194304",
        "4 mib, 4194304",
        "1GiB, 1073741824",
        "2TiB, 2199023255552",
        "1PiB, 1125899906842624",
        "7EiB, 8070450532247928832",
        "8K, 8192",
        "12B, 12",
        "9223372036854775807, 9223372036854775807",
    })
    void binaryUnitsAreRead(String text, long bytes) {
        assertThat(Sizes.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "MiB",
                "-1",
                "1.5GiB",
                "1XiB",
                "0x10",
                "9223372036854775808",
                "9999999TiB",
                "8EiB",
                "16EiB"
            })
    void whatIsNoSizeIsRefused(String text) {
        assertThatThrownBy(() -> Sizes.parse(text))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("'" + text + "'");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1 KiB",
        "1536, 1.5 KiB",
        "18841600, 18 MiB",
        "1073741824, 1 GiB",
        "9223372036854775807, 8 EiB",
    })
    void sizesAreWrittenInTheLargestUnit(long bytes, String text) {
        assertThat(Sizes.text(bytes)).isEqualTo(text);
    }

    @Test
    void secondsAreReadable() {
        assertThat(Sizes.seconds(0.0123)).isEqualTo("12 ms");
        assertThat(Sizes.seconds(1.234)).isEqualTo("1.23 s");
        assertThat(Sizes.rate(1 << 20)).isEqualTo("1 MiB/s");
    }
}
