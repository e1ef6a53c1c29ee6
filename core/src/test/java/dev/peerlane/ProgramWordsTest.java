package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * Checks that the library does not mention commands, options or exit statuses of a program, because
 * it is used without one. A program makes its command lines from codes and values.
 */
class ProgramWordsTest {
    @Test
    void theLibraryDoesNotSpeakTheProgramsLanguage() throws Exception {
        assertThat(ProgramWords.in(PeerlaneException.class)).isEmpty();
    }

    @Test
    void textsOfAClassAreFound() throws Exception {
        assertThat(ProgramWords.OF_A_PROGRAM.matcher("Use --verify host").find()).isTrue();
        String name = "dev/peerlane/ProgramWordsTest.class";
        assertThat(ProgramWords.texts(ProgramWords.folderOf(ProgramWordsTest.class).resolve(name)))
                .contains("Use --verify host");
    }
}
