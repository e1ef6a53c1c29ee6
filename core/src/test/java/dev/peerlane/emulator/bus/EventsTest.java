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
    void dueActionsRunInOrderOfTimeThenOfScheduling() {
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
    void linesDoNotChangeTheOrder() {
        SplittableRandom random = new SplittableRandom(2);
        Events plain = new Events();
        Events lined = new Events();
        Events.Line[] lines = {lined.line(), lined.line(), lined.line()};
        long[] last = new long[lines.length];
        List<Integer> expected = new ArrayList<>();
        List<Integer> happened = new ArrayList<>();
        int scheduled = 0;
        for (long now = 0; now <= 400; now++) {
            for (int i = random.nextInt(40); i > 0 && now < 350; i--) {
                int number = scheduled++;
                int line = random.nextInt(lines.length + 1);
                long nanos = now + random.nextLong(40);
                if (line == lines.length) {
                    lined.at(nanos, () -> happened.add(number));
                } else {
                    nanos = Math.max(nanos, last[line]);
                    last[line] = nanos;
                    lines[line].at(nanos, () -> happened.add(number));
                }
                plain.at(nanos, () -> expected.add(number));
            }
            assertThat(lined.next()).isEqualTo(plain.next());
            assertThat(lined.advance(now)).isEqualTo(plain.advance(now));
            assertThat(happened).isEqualTo(expected);
        }
        assertThat(happened).hasSize(scheduled);
        assertThat(lined.next()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aClearedLineRunsNothing() {
        Events events = new Events();
        Events.Line line = events.line();
        List<String> happened = new ArrayList<>();
        line.at(5, () -> happened.add("before"));
        line.at(6, () -> happened.add("before"));
        events.clear();
        assertThat(events.advance(10)).isFalse();
        line.at(11, () -> happened.add("after"));
        assertThat(events.advance(11)).isTrue();
        assertThat(happened).containsExactly("after");
    }

    @Test
    void anActionScheduledForNowRunsAfterThoseAlreadyScheduled() {
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
