package dev.peerlane.hal.parts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.Clock;
import org.junit.jupiter.api.Test;

class SpinningClockTest {
    @Test
    void lingerWaitsAtLeastOneAndAHalfMicroseconds() {
        Clock clock = new SpinningClock(4);
        long start = clock.nanoTime();
        clock.linger();
        assertThat(clock.nanoTime() - start).isGreaterThanOrEqualTo(1_500);
        for (int i = 0; i < 9; i++) {
            clock.turn();
        }
        assertThat(clock.nanoTime()).isGreaterThan(start);
    }
}
