package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.StringEntry;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The library knows neither commands nor options nor exit statuses of a program: what it says can
 * be read where there is none. The program makes lines to type of codes and values.
 */
class ProgramWordsTest {
    private static final Pattern OF_A_PROGRAM =
            Pattern.compile("(?<![\\w-])--[a-z]|\\bpeerlane [a-z]|\\bexit status");

    /** The first line of a file of old ACS values. */
    private static final String FILE_FORMAT = "# peerlane acs 1";

    private static Path folderOf(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    /** Returns the texts in a class, also those that it joins others to. */
    private static List<String> texts(Path classFile) {
        List<String> texts = new ArrayList<>();
        try {
            ClassFile.of()
                    .parse(classFile)
                    .constantPool()
                    .forEach(entry -> {
                        if (entry instanceof StringEntry text) {
                            texts.add(text.stringValue());
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return texts;
    }

    private static List<String> wordsOfAProgram(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(f -> f.toString().endsWith(".class"))
                    .flatMap(f ->
                            texts(f).stream()
                                    .map(t -> t.replace(FILE_FORMAT, ""))
                                    .filter(t -> OF_A_PROGRAM.matcher(t).find())
                                    .map(t -> folder.relativize(f) + ": " + t))
                    .toList();
        }
    }

    @Test
    void theLibraryDoesNotSpeakTheProgramsLanguage() throws Exception {
        assertThat(wordsOfAProgram(folderOf(PeerlaneException.class))).isEmpty();
    }

    @Test
    void whatAClassSaysIsFound() throws Exception {
        assertThat(OF_A_PROGRAM.matcher("Use --verify host").find()).isTrue();
        String name = "dev/peerlane/ProgramWordsTest.class";
        assertThat(texts(folderOf(ProgramWordsTest.class).resolve(name)))
                .contains("Use --verify host");
    }
}
