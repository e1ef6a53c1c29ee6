package dev.peerlane.cli.shared;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.Cli;
import dev.peerlane.cli.harness.Drives;
import dev.peerlane.cli.harness.Shell;
import dev.peerlane.cli.harness.TypedLines;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks that the program's remedies are commands that can be typed. */
class RemediesTest {
    private static final String OWN = "Do it in the library's words";

    /** A sample of each value that an error of the library can have. */
    private static final Map<String, String> VALUES =
            Map.ofEntries(
                    Map.entry("function", "0000:01:00.0"),
                    Map.entry("functions", "0000:01:00.0 0000:01:00.1"),
                    Map.entry("buffer", "host"),
                    Map.entry("target", "emu:ssd1/n1"),
                    Map.entry("verify", "host"),
                    Map.entry("group", "21"),
                    Map.entry("kept", "acs.txt"),
                    Map.entry("bar", "0"),
                    Map.entry("owner", "vfio-user:/tmp/s"),
                    Map.entry("missing", "lab.yaml"),
                    Map.entry("unreadable", "lab.yaml"),
                    Map.entry("input", "-"),
                    Map.entry("device", "qemu:03:00.0"));

    @TempDir private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    static Stream<Remedies.Remedy> table() {
        return Remedies.TABLE.stream();
    }

    private static PeerlaneException error(String code, Iterable<String> names) {
        PeerlaneException e = PeerlaneException.machine(code, "It is not so", OWN);
        names.forEach(name -> e.with(name, VALUES.get(name)));
        return e;
    }

    private void thrown(PeerlaneException e, String... args) {
        Terminal terminal =
                new Terminal(
                        new BufferedReader(new StringReader("")),
                        new PrintWriter(out),
                        new PrintWriter(err),
                        false,
                        null);
        Context context =
                new Context(terminal, new Interruption(), List.of(args), LocalSystem.local());
        Failures.thrown(
                context, e, Cli.program(context).getSubcommands().get(args[0]).getCommand());
    }

    @ParameterizedTest
    @MethodSource("table")
    void eachIsToldAsTextAndInTheDocument(Remedies.Remedy remedy) {
        PeerlaneException e = error(remedy.code(), remedy.needs());
        Matcher value = Pattern.compile("\\{(\\w+)}").matcher(remedy.template());
        String words = value.replaceAll(r -> VALUES.get(r.group(1)));
        thrown(e, "list", "--json");
        assertThat(err.toString().strip()).isEqualTo("peerlane: It is not so. " + words + ".");
        JsonNode error = Shell.parse(out.toString()).get("error");
        assertThat(error.get("remedy").asText()).isEqualTo(words);
        assertThat(new TypedLines().check(words, "copy", "bind", "acs")).isNotEmpty();
    }

    @ParameterizedTest
    @MethodSource("table")
    void withoutItsValuesAnErrorKeepsItsOwnRemedy(Remedies.Remedy remedy) {
        if (!remedy.needs().isEmpty()) {
            assertThat(Remedies.of(error(remedy.code(), List.of()))).isEqualTo(OWN);
        }
    }

    @Test
    void anErrorThatIsNotInTheTableKeepsItsOwnRemedy() {
        assertThat(Remedies.of(error("odd", VALUES.keySet()))).isEqualTo(OWN);
    }

    @ParameterizedTest
    @CsvSource({
        "--buffer, target, ', wds: false', --buffer auto takes the best that works",
        "--buffer, emu:a, ', rds: false', --buffer auto takes the best that works",
    })
    void aRefusedCopyTellsTheOption(String option, String value, String cmb, String words) {
        Drives drives = new Drives(folder);
        String keys = ", cmb: {size: 1MiB" + cmb + "}";
        Shell run =
                Shell.run(
                        Drives.with(
                                drives.two(keys, keys),
                                "copy",
                                "emu:a",
                                "emu:b",
                                "--yes",
                                option,
                                value,
                                "--json"));
        assertThat(run.err()).contains(words);
        assertThat(run.json().get("error").get("remedy").asText()).contains(words);
    }
}
