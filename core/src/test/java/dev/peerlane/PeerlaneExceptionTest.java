package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.spec.Status;
import org.junit.jupiter.api.Test;

final class PeerlaneExceptionTest {
    @Test
    void aTextWithAFullStopGetsNoSecondOne() {
        String hint = Status.hint(Status.CAPACITY_EXCEEDED);
        assertThat(hint).endsWith(".");
        assertThat(PeerlaneException.io("write-failed", hint, "Free some.").explain())
                .isEqualTo(hint + " Free some.");
        assertThat(PeerlaneException.io("write-failed", "It is full", "Free some").explain())
                .isEqualTo("It is full. Free some.");
    }

    @Test
    void valuesKeepTheirOrderAndPassToAnErrorOfTheSameCode() {
        PeerlaneException e =
                PeerlaneException.machine("not-bound", "It is not bound", "Bind it")
                        .with("function", "0000:01:00.0")
                        .with("driver", "nvme");
        assertThat(e.values().keySet()).containsExactly("function", "driver");
        assertThat(around(e, "not-bound").values()).isEqualTo(e.values());
        assertThat(around(e, "odd").values()).isEmpty();
    }

    private static PeerlaneException around(PeerlaneException cause, String code) {
        return new PeerlaneException(
                PeerlaneException.Category.IO, code, "It failed", "Look at it", cause);
    }
}
