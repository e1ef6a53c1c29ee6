package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Checks the public API against a list, so that a change of it is a deliberate one. */
class PublicApiTest {
    /** The largest number of public types; it must not grow. */
    private static final int MOST_TYPES = 128;

    private static final Path KEPT = Path.of("src/test/resources/public-api.txt");
    private static final Path FOUND = Path.of("target/public-api.txt");

    private static PublicApi api() throws IOException {
        return new PublicApi(Path.of("src/main/java/module-info.java"), Path.of("target/classes"));
    }

    @Test
    void everyPublicTypeAndMemberIsListed() throws IOException {
        List<String> found = api().lines();
        Files.write(FOUND, found);
        List<String> kept = Files.readAllLines(KEPT);
        List<String> difference = new ArrayList<>();
        without(found, kept).forEach(line -> difference.add("- " + line));
        without(kept, found).forEach(line -> difference.add("+ " + line));
        assertThat(found.equals(kept))
                .as(
                        "The public API is another than in %s. If it is meant to be:%n"
                                + "    cp core/%s core/%s%n%s",
                        KEPT, FOUND, KEPT, String.join("\n", difference))
                .isTrue();
    }

    /** Returns what is in one list and not in the other, each member with its type. */
    private static Set<String> without(List<String> less, List<String> from) {
        Set<String> rest = withTypes(from);
        rest.removeAll(withTypes(less));
        return rest;
    }

    private static Set<String> withTypes(List<String> lines) {
        Set<String> all = new LinkedHashSet<>();
        String type = "";
        for (String line : lines) {
            type = line.startsWith(" ") ? type : line;
            all.add(line.equals(type) ? line : type + ": " + line.strip());
        }
        return all;
    }

    @Test
    void aUserMeetsNoMoreTypesThanBefore() throws IOException {
        int count = api().typeCount();
        assertThat(count)
                .as(
                        "%d public types are exported, nested ones included. Where there are fewer"
                                + " than %d, lower the bound; where there are more, keep the new one"
                                + " to its package, or to a package that is not exported",
                        count, MOST_TYPES)
                .isEqualTo(MOST_TYPES);
    }
}
