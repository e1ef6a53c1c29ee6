package dev.peerlane.fabrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.ProgramWords;
import org.junit.jupiter.api.Test;

/** Checks the texts of this module with the rules that ProgramWordsTest applies to the library. */
class FabricsWordsTest {
    @Test
    void itDoesNotSpeakTheProgramsLanguage() throws Exception {
        assertThat(ProgramWords.in(FabricFile.class)).isEmpty();
    }
}
