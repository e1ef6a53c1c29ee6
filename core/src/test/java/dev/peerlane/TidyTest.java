package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Checks texts for phrases that need translating, and pages for their form. */
class TidyTest {
    private static final Path ROOT = Path.of("..");
    private static final int COLUMNS = 120;

    /** Pages that programs write, with each table and paragraph in a single line. */
    private static final Set<String> GENERATED = Set.of("doctor.md", "performance.md");

    /** Phrases that a native reader has to translate, with what to write instead. */
    private static final Pattern BANNED =
            Pattern.compile(
                    String.join(
                            "|",
                            "unless said", // the default is
                            "can(?:'t|not| not) be had", // can't be allocated, opened, read
                            "\\b(?:is|are) told of\\b", // is called with, receives
                            "has somebody told", // sets what is called
                            "\\bto be had\\b", // available, needed
                            "spoke (?:for|against)\\b", // was a reason for
                            "speaks? for and against", // the reasons for and against
                            "comes of it\\b", // the result
                            "the way of the data", // the route
                            "which is said\\b", // which is reported
                            "half-way", // incomplete
                            "without a word", // silently
                            "now the one", // either
                            "of another mind", // differ
                            "at its word", // trusts
                            "also looked at", // alternatives
                            "looked at and left", // alternatives
                            "of one's own", // your own
                            "\\b(?:is|are|was|were) held against\\b", // is compared with
                            "can't be told", // is unknown
                            "is no multiple of", // is not a multiple of
                            "keeps its own cop(?:y|ies)\\b", // copies the list
                            "second call does nothing", // closing again has no effect
                            "\\bso many (?:bytes|turns|blocks)\\b", // a number of
                            "\\bwhat there is\\b", // name the thing
                            "stays the caller's", // the caller keeps ownership
                            "the caller's to close", // the caller takes ownership
                            "is there already", // exists
                            "/\\*\\*\\s+(?:\\*\\s+)?Makes one\\b", // creates a, and the noun
                            "/\\*\\*\\s+(?:\\*\\s+)?Says (?:the|what|whether|how|which|who)\\b"),
                    Pattern.CASE_INSENSITIVE);

    private static List<Path> files(String ending) throws IOException {
        try (Stream<Path> all = Files.walk(ROOT)) {
            return all.filter(f -> f.toString().endsWith(ending))
                    .filter(f -> !f.toString().contains("/target/"))
                    .filter(f -> !f.toString().contains("/."))
                    .filter(f -> !f.endsWith("TidyTest.java"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void noTextHasAPhraseThatNeedsTranslating() throws IOException {
        List<Path> files = new ArrayList<>(files(".java"));
        files.addAll(files(".md"));
        assertThat(files).hasSizeGreaterThan(500);
        List<String> found = new ArrayList<>();
        for (Path file : files) {
            Matcher matcher = BANNED.matcher(Files.readString(file));
            while (matcher.find()) {
                found.add(file + ": " + matcher.group());
            }
        }
        assertThat(found).isEmpty();
    }

    @Test
    void everyPageBeginsWithItsOnlyTitle() throws IOException {
        for (Path page : files(".md")) {
            List<String> titles = new ArrayList<>();
            boolean code = false;
            for (String line : Files.readAllLines(page)) {
                code ^= line.strip().startsWith("```");
                if (!code && line.startsWith("# ")) {
                    titles.add(line);
                }
            }
            assertThat(titles).as("titles of %s", page).hasSize(1);
            assertThat(Files.readString(page)).as("%s", page).startsWith(titles.getFirst());
        }
    }

    @Test
    void textOfPagesIsWrapped() throws IOException {
        List<String> wide = new ArrayList<>();
        for (Path page : files(".md")) {
            if (GENERATED.contains(String.valueOf(page.getFileName()))) {
                continue;
            }
            boolean code = false;
            int number = 0;
            for (String line : Files.readAllLines(page)) {
                number++;
                code ^= line.strip().startsWith("```");
                boolean text = !code && !line.startsWith("    ") && !line.startsWith("|");
                if (text && line.length() > COLUMNS) {
                    wide.add(page + ":" + number + ": " + line.length() + " columns");
                }
            }
        }
        assertThat(wide).isEmpty();
    }
}
