package dev.peerlane.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.harness.Shell;
import dev.peerlane.cli.shared.LocalSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks that untrusted text is displayed by a terminal but never controls it. */
class ControlCharactersTest {
    private static final String DRIVE = "0000:01:00.0";

    /**
     * Clears the screen, rings the bell, overwrites the line, adds a line, and reverses the text.
     */
    private static final String EVIL = "a\u001b[2Jb\u0007c\rd\ne\u007ff\u009bg\u202eh\u2028i";

    private static final String SHOWN = "a\\x1b[2Jb\\x07c\\x0dd\\x0ae\\x7ff\\x9bg\\u202eh\\u2028i";

    /** The part of it that a device can report. */
    private static final String MODEL = EVIL.substring(0, EVIL.indexOf('h') - 1);

    @TempDir private Path root;

    @BeforeEach
    void machine() throws IOException {
        Path place = root.resolve("sys/bus/pci/devices/" + DRIVE);
        byte[] config = new byte[256];
        config[9] = 2;
        config[10] = 8;
        config[11] = 1;
        Files.createDirectories(place.resolve("nvme/nvme0"));
        Files.write(place.resolve("config"), config);
        Files.writeString(place.resolve("nvme/nvme0/model"), MODEL, StandardCharsets.ISO_8859_1);
        Files.writeString(place.resolve("nvme/nvme0/serial"), MODEL, StandardCharsets.ISO_8859_1);
    }

    private Shell on(String... args) {
        LocalSystem host =
                new LocalSystem(
                        root,
                        () -> {
                            throw new AssertionError("no system call is needed");
                        },
                        new dev.peerlane.binding.LinuxWriter());
        return Shell.on(host, args);
    }

    private static void assertOnlyText(String printed) {
        assertThat(printed.chars().filter(c -> c != '\n').filter(VisibleWriter::isControl))
                .as(printed)
                .isEmpty();
    }

    @Test
    void aModelCanNeitherMoveTheCursorNorAddALine() {
        Shell run = on("list");
        assertThat(run.status()).as(run.err()).isZero();
        assertOnlyText(run.out());
        assertThat(run.out()).contains(SHOWN.substring(0, SHOWN.indexOf("\\u202e")));
        assertThat(run.out().lines().filter(l -> l.startsWith("e"))).isEmpty();
    }

    @Test
    void aDocumentKeepsTheTextAndIsStillJson() {
        Shell run = on("list", "--json");
        assertOnlyText(run.out());
        assertThat(run.json().at("/functions/0/model").asText()).isEqualTo(MODEL);
    }

    @Test
    void anErrorShowsTheArgumentAsText() {
        Shell run = Shell.run("copy", EVIL, "emu:ssd1");
        assertThat(run.status()).isEqualTo(1);
        assertOnlyText(run.err());
        assertThat(run.err()).contains(SHOWN);
        assertThat(run.err().lines()).hasSize(1);
    }

    @Test
    void anUnknownArgumentIsShownAsText() {
        Shell run = Shell.run("identify", "emu:ssd0", "--" + EVIL);
        assertThat(run.status()).isEqualTo(1);
        assertOnlyText(run.err());
        assertThat(run.err()).contains(SHOWN);
    }

    @Test
    void aDocumentOfAnErrorKeepsTheArgument() {
        Shell run = Shell.run("identify", EVIL, "--json");
        assertOnlyText(run.out());
        assertThat(run.json().at("/error/message").asText()).contains(EVIL);
    }

    @Test
    void aWarningStaysOneLine() {
        java.io.StringWriter kept = new java.io.StringWriter();
        new VisibleWriter(new java.io.PrintWriter(kept)).println("Note: " + EVIL);
        assertThat(kept).hasToString("Note: " + SHOWN + System.lineSeparator());
    }

    @Test
    void helpAndCompletionAreTextAsTheyAre() {
        for (String[] args : new String[][] {{"help"}, {"completion"}, {"copy", "--help"}}) {
            assertThat(Shell.run(args).out()).doesNotContain("\\x");
        }
    }
}
