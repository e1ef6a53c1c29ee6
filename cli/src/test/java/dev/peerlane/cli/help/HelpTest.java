package dev.peerlane.cli.help;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.harness.Shell;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests help, version, completion, and the answers to mistyped commands. */
class HelpTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "copy",
                "cmb-copy",
                "list",
                "identify",
                "cmb",
                "topology",
                "doctor",
                "acs",
                "capture",
                "litmus",
                "demo",
                "completion",
                "help"
            })
    void everyCommandTeachesWithAnExample(String command) {
        Shell help = Shell.run("help", command);
        assertThat(help.status()).isZero();
        assertThat(help.out())
                .startsWith("Usage: peerlane " + command)
                .containsPattern("Examples?:")
                .containsPattern("\n    .*peerlane " + command);
        assertThat(Shell.run(command, "--help").out()).isEqualTo(help.out());
        assertThat(help.out().lines()).allMatch(line -> line.length() <= 100);
    }

    @Test
    void theProgramsHelpNamesCommandsDevicesAndExitStatuses() {
        Shell help = Shell.run("help");
        assertThat(help.status()).isZero();
        assertThat(help.out())
                .contains("cmb-copy")
                .contains("peerlane demo")
                .contains("130 interrupted")
                .contains("qemu:03:00.0")
                .doesNotContain("--seed");
    }

    @Test
    void noCommandIsStatus1() {
        Shell run = Shell.run();
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("No command").contains("peerlane help");
    }

    @Test
    void anUnknownCommandIsStatus1WithAHint() {
        Shell run = Shell.run("copi");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains("'copi'").contains("Did you mean copy");
        Shell help = Shell.run("help", "copi");
        assertThat(help.status()).isEqualTo(1);
        assertThat(help.err()).contains("Unknown command 'copi'").contains("cmb-copy");
    }

    @Test
    void anUnknownOptionUnderJsonIsAnErrorDocument() {
        Shell run = Shell.run("list", "bind", "unbind", "--jsn", "--json");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.json().get("schema").asText()).isEqualTo("peerlane.error/1");
        assertThat(run.json().get("error").get("code").asText()).isEqualTo("usage");
        assertThat(run.err()).contains("Did you mean --json?");
    }

    @Test
    void theVersionIsThatOfTheBuild() {
        Shell run = Shell.run("--version");
        assertThat(run.status()).isZero();
        assertThat(run.out()).matches("peerlane \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?\\R");
    }

    @Test
    void theVerboseVersionTellsJdkSystemAndBackends() {
        Shell run = Shell.run("--version", "--verbose");
        assertThat(run.out())
                .contains(System.getProperty("java.vm.version"))
                .contains(System.getProperty("os.name"))
                .contains("emulator")
                .contains("qemu")
                .contains("(iommufd) is tested only against a fake kernel");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bash", "zsh"})
    void theCompletionScriptIsSoundShellAndKnowsTheCommands(String shell, @TempDir Path folder)
            throws IOException, InterruptedException {
        Shell run = Shell.run("completion", shell);
        assertThat(run.status()).isZero();
        assertThat(run.out()).contains("cmb-copy").contains("--expect-serial").contains("complete");
        Path script = Files.writeString(folder.resolve("complete"), run.out());
        Process check =
                new ProcessBuilder("bash", "-n", script.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(check.waitFor()).as(said).isZero();
    }

    @Test
    void anotherShellIsRefused() {
        Shell run = Shell.run("completion", "fish");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("bash or zsh");
    }
}
