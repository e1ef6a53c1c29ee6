package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks that --json gives exactly one document, even from commands that change something. */
class OneDocumentTest {
    private static final String REDIRECTS =
            """
            kind: emulator
            fabric: packets
            drives:
              - {name: a, size: 1MiB, cmb: {size: 2MiB}}
              - {name: b, size: 1MiB, cmb: {size: 2MiB}}
            ports:
              - switch:
                  - {drive: a, acs: [SV, RR, CR, UF]}
                  - {drive: b, acs: [SV, RR, CR, UF]}
            """;

    private static final String OLD =
            "# peerlane acs 1\n0000:02:00.0 offset=0x100 control=0x001d\n";

    @TempDir private Path folder;

    @Test
    void whatDisablingAcsWouldDoIsADocument() throws IOException {
        Path fabric = Files.writeString(folder.resolve("fabric.yaml"), REDIRECTS);
        Shell run =
                Shell.run(
                        "acs",
                        "disable",
                        "emu:a",
                        "emu:b",
                        "--dry-run",
                        "--json",
                        "--fabric=" + fabric);
        assertThat(run.status()).as(run.err()).isZero();
        JsonNode document = run.json();
        assertThat(document.get("schema").asText()).isEqualTo("peerlane.acs-change/1");
        assertThat(document.get("result").asText()).isEqualTo("planned");
        assertThat(document.get("file").isNull()).isTrue();
        assertThat(document.get("lines")).hasSize(2);
        assertThat(document.at("/lines/0").asText()).startsWith("setpci -s ");
        assertThat(document.at("/bridges/0/before").asText()).isEqualTo("001d");
        assertThat(document.at("/bridges/0/after").asText()).isEqualTo("0011");
    }

    @Test
    void theDocumentSaysIfNothingRedirects() {
        Shell run = Shell.run("acs", "disable", "emu:ssd0", "emu:ssd1", "--json");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.json().get("result").asText()).isEqualTo("nothing");
        assertThat(run.json().get("bridges")).isEmpty();
    }

    @Test
    void whatRestoringAcsWouldDoIsADocument() throws IOException {
        Path old = Files.writeString(folder.resolve("acs.txt"), OLD);
        Shell run = Shell.run("acs", "restore", old.toString(), "--dry-run", "--json");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.json().get("file").asText()).isEqualTo(old.toString());
        assertThat(run.json().at("/bridges/0/before").isNull()).isTrue();
        assertThat(run.json().at("/bridges/0/after").asText()).isEqualTo("001d");
    }

    @Test
    void theScenariosAreADocument() {
        Shell run = Shell.run("demo", "--scenario", "list", "--json");
        assertThat(run.status()).isZero();
        assertThat(run.json().at("/scenarios/0/name").asText()).isEqualTo("root-complex");
    }

    @Test
    void aFabricFileIsNotAvailableAsJson() {
        Shell run = Shell.run("demo", "--scenario", "acs", "--print-fabric", "--json");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.json().at("/error/code").asText()).isEqualTo("two-forms");
        assertThat(run.err()).contains("Omit one of them");
    }
}
