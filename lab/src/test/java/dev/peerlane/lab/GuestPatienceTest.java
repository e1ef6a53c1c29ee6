package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Tests how long a guest is given. */
class GuestPatienceTest {
    private static final Duration LIMIT = Duration.ofMinutes(4);
    private static final long HOUR = Duration.ofHours(1).toNanos();
    private static final long MINUTE = Duration.ofMinutes(1).toNanos();

    private final GuestPatience patience = new GuestPatience(LIMIT, 2);

    @Test
    void aGuestWithOutputIsGivenTimeOnABusyMachine() {
        for (int minute = 0; minute < 300; minute++) {
            Duration used = Duration.ofSeconds(minute);
            assertThat(patience.over(minute * MINUTE, used, minute / 3)).isNull();
        }
    }

    @Test
    void aGuestThatSaysNothingIsEnded() {
        assertThat(patience.over(HOUR, Duration.ZERO, 10)).isNull();
        assertThat(patience.over(HOUR + 4 * MINUTE, Duration.ZERO, 10)).isNull();
        assertThat(patience.over(HOUR + 5 * MINUTE, Duration.ZERO, 10))
                .isEqualTo("it was silent for 240 s");
    }

    @Test
    void aGuestThatIsBusyForeverIsEndedDespiteItsOutput() {
        assertThat(patience.over(0, Duration.ofMinutes(8), 1)).isNull();
        assertThat(patience.over(MINUTE, Duration.ofSeconds(481), 2))
                .isEqualTo("it used more than 480 s of processor time");
    }
}
