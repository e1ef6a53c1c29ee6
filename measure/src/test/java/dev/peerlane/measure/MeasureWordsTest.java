package dev.peerlane.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.ProgramWords;
import org.junit.jupiter.api.Test;

/** Holds the texts of this module to what ProgramWordsTest holds the library's to. */
class MeasureWordsTest {
    @Test
    void itDoesNotSpeakTheProgramsLanguage() throws Exception {
        assertThat(ProgramWords.in(LoadRun.class)).isEmpty();
    }
}
