package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LingerTest {
    private final FakeWorld world = new FakeWorld(17);

    @ParameterizedTest
    @CsvSource({"0, 20, 0", "1, 7, 0", "1, 8, 1", "3, 8, 1", "4, 100, 0", "64, 100, 0"})
    void aMomentIsWorthItAfterOneToThreeWithEightInFlight(int taken, int inFlight, int lingers) {
        Linger.after(taken, inFlight, world.clock);
        assertThat(world.lingers).isEqualTo(lingers);
    }
}
