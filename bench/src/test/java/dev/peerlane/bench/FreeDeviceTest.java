package dev.peerlane.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FreeDeviceTest {
    @ParameterizedTest
    @EnumSource
    void everyCommandCompletesWithSuccess(FreeDevice.Form form) {
        try (FreeDevice device = new FreeDevice(32, form)) {
            DriverLoop loop = new DriverLoop(device, form);
            loop.run(1, 100);
            loop.run(32, 6400);
            assertThat(loop.count().completed()).isEqualTo(6500);
            assertThat(loop.count().failed()).isZero();
            assertThat(device.port().inFlight()).isZero();
        }
    }
}
