package dev.peerlane.cli.shared;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExitStatusTest {
    @ParameterizedTest
    @CsvSource({"REQUEST, 1", "MACHINE, 2", "REFUSED, 3", "IO, 4", "INTERRUPTED, 130"})
    void everyCategoryHasAStatusOfItsOwn(Category category, int status) {
        PeerlaneException e = new PeerlaneException(category, "odd", "It is odd", "Look at it");
        assertThat(ExitStatus.of(e)).isEqualTo(status);
    }
}
