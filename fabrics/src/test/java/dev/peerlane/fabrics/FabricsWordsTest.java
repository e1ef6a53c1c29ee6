package dev.peerlane.fabrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.ProgramWords;
import org.junit.jupiter.api.Test;

/** Holds the texts of this module to what ProgramWordsTest holds the library's to. */
class FabricsWordsTest {
    @Test
    void itDoesNotSpeakTheProgramsLanguage() throws Exception {
        assertThat(ProgramWords.in(FabricFile.class)).isEmpty();
    }
}
