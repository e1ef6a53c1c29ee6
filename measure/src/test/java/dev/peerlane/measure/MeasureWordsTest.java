package dev.peerlane.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.ProgramWords;
import org.junit.jupiter.api.Test;

/** Checks the texts of this module as ProgramWordsTest checks those of the library. */
class MeasureWordsTest {
    @Test
    void itDoesNotSpeakTheProgramsLanguage() throws Exception {
        assertThat(ProgramWords.in(LoadRun.class)).isEmpty();
    }
}
