package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BitsTest {
    @Test
    void aFieldIsReadRightAligned() {
        assertThat(Bits.get(0x1234_5678_9abc_def0L, 15, 8)).isEqualTo(0xdeL);
        assertThat(Bits.get(0x8000_0000, 31, 31)).isEqualTo(1);
        assertThat(Bits.get(-1L, 63, 0)).isEqualTo(-1L);
    }

    @Test
    void aFieldIsReplacedAndItsNeighboursStay() {
        assertThat(Bits.with(0xffff_ffffL, 15, 8, 0)).isEqualTo(0xffff_00ffL);
        assertThat(Bits.with(0, 31, 28, 0xf)).isEqualTo(0xf000_0000);
    }

    @Test
    void aValueThatDoesNotFitIsRefused() {
        assertThatThrownBy(() -> Bits.with(0L, 3, 0, 16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0x10")
                .hasMessageContaining("3:0");
    }
}
