package dev.peerlane.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FreeDeviceTest {
    @Test
    void everyCommandCompletesWithSuccess() {
        try (FreeDevice device = new FreeDevice(32)) {
            DriverLoop loop = new DriverLoop(device);
            loop.run(1, 100);
            loop.run(32, 6400);
            assertThat(loop.count().completed()).isEqualTo(6500);
            assertThat(loop.count().failed()).isZero();
            assertThat(device.port().inFlight()).isZero();
        }
    }
}
