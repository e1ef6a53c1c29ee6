package dev.peerlane.emulator.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class EventsTest {
    private record Due(long nanos, int number) {}

    @Test
    void whatIsDueHappensInTheOrderOfTimeAndThenOfScheduling() {
        SplittableRandom random = new SplittableRandom(1);
        Events events = new Events();
        List<Due> expected = new ArrayList<>();
        List<Due> happened = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            Due due = new Due(random.nextLong(50), i);
            expected.add(due);
            events.at(due.nanos(), () -> happened.add(due));
        }
        expected.sort(Comparator.comparingLong(Due::nanos).thenComparingInt(Due::number));
        for (long now = 0; now <= 50; now += 7) {
            long until = now;
            assertThat(events.advance(now)).isTrue();
            assertThat(happened)
                    .isEqualTo(expected.stream().filter(e -> e.nanos() <= until).toList());
        }
        assertThat(happened).isEqualTo(expected);
        assertThat(events.next()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void whatAnEventSchedulesForNowHappensAfterWhatWasScheduledForNow() {
        Events events = new Events();
        List<String> happened = new ArrayList<>();
        events.at(
                5,
                () -> {
                    happened.add("first");
                    events.at(1, () -> happened.add("late"));
                });
        events.at(5, () -> happened.add("second"));
        assertThat(events.advance(4)).isFalse();
        assertThat(events.advance(5)).isTrue();
        assertThat(happened).containsExactly("first", "second", "late");
    }
}
