package dev.peerlane.hal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ClockTest {
    private long now;
    private int turns;

    private final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return now;
                }

                @Override
                public void turn() {
                    turns++;
                    now += 10;
                }
            };

    @Test
    void whatIsTrueAlreadyTakesNoTurn() {
        assertThat(clock.await(() -> true, 0)).isTrue();
        assertThat(turns).isZero();
    }

    @Test
    void awaitTakesTurnsUntilTheConditionIsTrue() {
        assertThat(clock.await(() -> turns == 5, 1_000)).isTrue();
        assertThat(turns).isEqualTo(5);
    }

    @Test
    void waitingEndsAtTheDeadline() {
        assertThat(clock.await(() -> false, 1_000)).isFalse();
        assertThat(turns).isEqualTo(100);
    }

    @Test
    void aSlowTurnThatMakesTheConditionTrueIsNotATimeout() {
        assertThat(clock.await(() -> turns == 1, 10)).isTrue();
    }
}
