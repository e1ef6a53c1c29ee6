package dev.peerlane;

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

/** Finds texts in a library that mention a program: its commands, options or exit statuses. */
public final class ProgramWords {
    static final Pattern OF_A_PROGRAM =
            Pattern.compile("(?<![\\w-])--[a-z]|\\bpeerlane [a-z]|\\bexit status");

    /** The first line of a file of previous ACS values. */
    private static final String FILE_FORMAT = "# peerlane acs 1";

    private ProgramWords() {}

    static Path folderOf(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    /** Returns the texts in a class, including those that it concatenates. */
    static List<String> texts(Path classFile) {
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

    /**
     * Returns the texts that mention commands, options or exit statuses, each after its class.
     *
     * @param one a class of the library
     */
    public static List<String> in(Class<?> one) throws IOException, URISyntaxException {
        Path folder = folderOf(one);
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
}
