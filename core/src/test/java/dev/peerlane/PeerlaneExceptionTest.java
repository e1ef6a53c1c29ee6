package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.spec.Status;
import org.junit.jupiter.api.Test;

final class PeerlaneExceptionTest {
    @Test
    void wordsThatComeWithAFullStopGetNoSecondOne() {
        String hint = Status.hint(Status.CAPACITY_EXCEEDED);
        assertThat(hint).endsWith(".");
        assertThat(PeerlaneException.io("write-failed", hint, "Free some.").explain())
                .isEqualTo(hint + " Free some.");
        assertThat(PeerlaneException.io("write-failed", "It is full", "Free some").explain())
                .isEqualTo("It is full. Free some.");
    }
}
