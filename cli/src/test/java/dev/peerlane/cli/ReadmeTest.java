package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.harness.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs what README.md says about fabric files, exactly as written. */
class ReadmeTest {
    private static final Pattern FABRIC =
            Pattern.compile(
                    "here `(\\S+)`:\n\n((?:    [^\n]*\n)+)\n((?:    ./peerlane [^\n]*\n)+)");

    @TempDir private Path folder;

    @Test
    void itsFabricFileAndTheCommandsBelowItWork() throws IOException {
        String text = Files.readString(Path.of("..", "README.md"));
        Matcher m = FABRIC.matcher(text);
        assertThat(m.find()).isTrue();
        String name = m.group(1);
        Files.writeString(folder.resolve(name), m.group(2).stripIndent());
        List<String> commands =
                text.lines()
                        .map(String::strip)
                        .filter(l -> l.startsWith("./peerlane ") && l.contains("--fabric " + name))
                        .map(l -> l.replaceFirst("  .*", ""))
                        .toList();
        assertThat(commands).hasSizeGreaterThan(1).anyMatch(c -> c.contains(" copy "));
        for (String command : commands) {
            String[] args =
                    Arrays.stream(command.split(" "))
                            .skip(1)
                            .map(a -> a.equals(name) ? folder.resolve(name).toString() : a)
                            .toArray(String[]::new);
            Shell run = Shell.answering("yes\n", args);
            assertThat(run.status()).as(command + "\n" + run.err()).isZero();
        }
        assertThat(folder.resolve("a.img")).exists();
    }
}
