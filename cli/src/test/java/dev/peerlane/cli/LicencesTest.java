package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Compares the page of licences with the libraries that Maven resolves for the program. */
class LicencesTest {
    /** Maven writes this file before the tests. */
    private static final Path RESOLVED = Path.of("target", "runtime-libraries.txt");

    private static final Pattern LIBRARY =
            Pattern.compile("^ +[\\w.]+:([\\w.-]+):jar:([\\w.-]+):", Pattern.MULTILINE);
    private static final Pattern ROW =
            Pattern.compile("^\\| ([\\w.-]+) \\| (\\d[\\w.]*) \\| \\S", Pattern.MULTILINE);
    private static final Pattern PICOCLI =
            Pattern.compile("<picocli.version>(.*)</picocli.version>");

    @Test
    void everyLibraryOfTheProgramIsOnThePageWithItsVersionAndLicence() throws IOException {
        assumeThat(RESOLVED).as("only Maven writes it").exists();
        Map<String, String> needed = table(LIBRARY, Files.readString(RESOLVED));
        MatchResult picocli =
                PICOCLI.matcher(Files.readString(Path.of("..", "pom.xml")))
                        .results()
                        .findFirst()
                        .orElseThrow();
        needed.put("picocli", picocli.group(1)); // compiled from its source
        String page = Files.readString(Path.of("..", "docs", "third-party.md"));
        assertThat(table(ROW, page)).isEqualTo(needed);
    }

    private static Map<String, String> table(Pattern pattern, String text) {
        Map<String, String> versions = new TreeMap<>();
        pattern.matcher(text).results().forEach(m -> versions.put(m.group(1), m.group(2)));
        return versions;
    }
}
