package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * The library knows neither commands nor options nor exit statuses of a program: what it says can
 * be read where there is none. The program makes lines to type of codes and values.
 */
class ProgramWordsTest {
    @Test
    void theLibraryDoesNotSpeakTheProgramsLanguage() throws Exception {
        assertThat(ProgramWords.in(PeerlaneException.class)).isEmpty();
    }

    @Test
    void whatAClassSaysIsFound() throws Exception {
        assertThat(ProgramWords.OF_A_PROGRAM.matcher("Use --verify host").find()).isTrue();
        String name = "dev/peerlane/ProgramWordsTest.class";
        assertThat(ProgramWords.texts(ProgramWords.folderOf(ProgramWordsTest.class).resolve(name)))
                .contains("Use --verify host");
    }
}
