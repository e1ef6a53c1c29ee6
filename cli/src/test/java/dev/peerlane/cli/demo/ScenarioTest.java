package dev.peerlane.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Shell;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests what the scenarios of the demo show. */
class ScenarioTest {
    private static JsonNode json(Scenario scenario, long seed) {
        Shell run = Shell.run("demo", "--scenario", scenario.label(), "--seed=" + seed, "--json");
        assertThat(run.status()).as(run.err()).isZero();
        return run.json();
    }

    private static JsonNode receipt(JsonNode document, int copy) {
        return document.get("copies").get(copy).get("receipt");
    }

    @ParameterizedTest
    @EnumSource
    void withoutSafeguardsBytesAreWrongAndWithThemNone(Scenario scenario) {
        for (long seed = 1; seed <= 3; seed++) {
            JsonNode document = json(scenario, seed);
            assertThat(document.get("schema").asText()).isEqualTo("peerlane.scenario/1");
            JsonNode unguarded = document.get("unguarded");
            assertThat(unguarded.get("receipt").get("result").asText()).isEqualTo("ok");
            assertThat(unguarded.get("receipt").get("fence").asText()).isEqualTo("none");
            JsonNode damage = unguarded.get("damage");
            assertThat(damage.get("bytes").asInt()).as("seed %d", seed).isPositive();
            assertThat(damage.get("emptyBytes").asInt() + damage.get("staleBytes").asInt())
                    .as("the slot held each wrong byte before")
                    .isEqualTo(damage.get("bytes").asInt());
            int survived = 0;
            for (JsonNode copy : document.get("copies")) {
                assertThat(copy.get("damage").get("bytes").asInt()).isZero();
                boolean ok = copy.get("receipt").get("result").asText().equals("ok");
                survived += ok ? 1 : 0;
                if (ok) {
                    assertThat(copy.get("receipt").get("verify").get("result").asText())
                            .isEqualTo("ok");
                }
            }
            assertThat(survived).isPositive();
        }
    }

    @Test
    void theRootComplexIsRefusedAndHostMemoryCarriesTheData() {
        JsonNode document = json(Scenario.ROOT_COMPLEX, 1);
        assertThat(document.get("unguarded").get("damage").get("blocks").asInt()).isEqualTo(512);
        assertThat(receipt(document, 0).get("result").asText()).isEqualTo("refused");
        assertThat(receipt(document, 0).get("error").get("code").asText())
                .isEqualTo("no-permitted-route");
        assertThat(receipt(document, 1).get("buffer").get("kind").asText()).isEqualTo("host");
        assertThat(receipt(document, 1).get("notes").toString()).contains("not peer to peer");
    }

    @Test
    void theDoctorsFixForAcsWorks() {
        JsonNode document = json(Scenario.ACS, 1);
        assertThat(document.get("doctor").get("findings").findValuesAsText("code"))
                .contains("acs-request-redirect", "acs-completion-redirect");
        assertThat(receipt(document, 0).get("result").asText()).isEqualTo("refused");
        JsonNode cured = receipt(document, 2);
        assertThat(cured.get("buffer").get("kind").asText()).isEqualTo("target-cmb");
        assertThat(cured.get("hostDataBytes").asLong()).isZero();
        assertThat(cured.get("verify").get("method").asText()).isEqualTo("target-compare");
    }

    @Test
    void overTwoPathsTheSourcesMemoryIsTaken() {
        JsonNode document = json(Scenario.TWO_PATHS, 1);
        assertThat(document.get("doctor").get("findings").findValuesAsText("code"))
                .contains("second-way");
        assertThat(receipt(document, 0).get("error").get("message").asText())
                .contains("several routes, so no fence is sound");
        assertThat(receipt(document, 1).get("buffer").get("kind").asText()).isEqualTo("source-cmb");
    }

    @Test
    void whereCompletionsOvertakeTheSentinelHolds() {
        JsonNode document = json(Scenario.OVERTAKING, 1);
        assertThat(document.get("copies")).hasSize(1);
        assertThat(receipt(document, 0).get("fence").asText()).isEqualTo("sentinel");
        assertThat(receipt(document, 0).get("hostDataBytes").asLong()).isZero();
    }

    @Test
    void whatIsPlantedIsReadBackSoLateStoresDestroyNothing() {
        JsonNode document = json(Scenario.LATE_STORES, 1);
        JsonNode damage = document.get("unguarded").get("damage");
        assertThat(damage.get("emptyBytes")).as("zeroes only").isEqualTo(damage.get("bytes"));
        assertThat(document.get("doctor").get("findings").findValuesAsText("severity"))
                .doesNotContain("BLOCKER", "blocker", "error");
        assertThat(document.get("copies")).hasSize(1);
        assertThat(receipt(document, 0).get("fence").asText()).isEqualTo("sentinel");
        assertThat(receipt(document, 0).get("verify").get("method").asText())
                .isEqualTo("target-compare");
    }

    @ParameterizedTest
    @EnumSource
    void theDoctorSaysTheSameOfThePrintedFabric(Scenario scenario, @TempDir Path folder)
            throws IOException {
        Shell printed =
                Shell.run("demo", "--scenario", scenario.label(), "--seed=2", "--print-fabric");
        Path file = Files.writeString(folder.resolve("fabric.yaml"), printed.out());
        for (String image : List.of("source.img", "target.img")) {
            Files.write(folder.resolve(image), new byte[Scenario.BYTES]);
        }
        String[] args = {"doctor", "emu:source", "emu:target", "--json", "--fabric", "" + file};
        JsonNode alone = Shell.run(args).json();
        JsonNode inside = json(scenario, 2).get("doctor");
        assertThat(inside).isEqualTo(alone);
    }

    @ParameterizedTest
    @EnumSource
    void theSameSeedPrintsTheSame(Scenario scenario) {
        List<String> texts = new ArrayList<>();
        for (String seed : List.of("5", "5", "6")) {
            Shell run = Shell.run("demo", "--scenario", scenario.label(), "--seed", seed);
            assertThat(run.status()).as(run.err()).isZero();
            texts.add(run.out());
        }
        assertThat(texts.get(1)).isEqualTo(texts.get(0)).isNotEqualTo(texts.get(2));
        assertThat(texts.get(0))
                .startsWith(scenario.label() + ": ")
                .contains("(seed 5)")
                .containsPattern("[0-9,]+ of 262,144 bytes are wrong, in \\d+ of 512 blocks")
                .containsPattern("(NO-)?GO \\(exit status [03]\\)")
                .contains("262,144 bytes copied and checked, every one right")
                .contains("serial SCENE-TARGET");
        assertThat(json(scenario, 5)).isEqualTo(json(scenario, 5));
    }

    @Test
    void theListNamesAllOfThem() {
        Shell list = Shell.run("demo", "--scenario", "list");
        assertThat(list.status()).isZero();
        for (Scenario each : Scenario.values()) {
            assertThat(list.out()).contains(each.label()).contains(each.title());
            assertThat(Shell.run("help", "demo").out()).contains(each.label());
            assertThat(Shell.run("completion").out()).contains(each.label());
        }
    }

    @Test
    void anUnknownScenarioIsStatus1() {
        Shell run = Shell.run("demo", "--scenario", "flood");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("'flood'").contains("two-paths");
        Shell alone = Shell.run("demo", "--seed", "3", "--json");
        assertThat(alone.status()).isEqualTo(1);
        assertThat(alone.json().get("error").get("code").asText()).isEqualTo("no-scenario");
    }

    @Test
    void nothingIsLeftBehindAndAnInterruptedScenarioIsStatus130(@TempDir Path temporary)
            throws IOException {
        String usual = System.setProperty("java.io.tmpdir", temporary.toString());
        try {
            assertThat(Shell.run("demo", "--scenario", "acs").status()).isZero();
            assertThat(Shell.interruptedAt("", "demo", "--scenario", "acs").status())
                    .isEqualTo(130);
        } finally {
            System.setProperty("java.io.tmpdir", usual);
        }
        try (Stream<Path> left = Files.list(temporary)) {
            assertThat(left).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPrintedFabricIsReadFromStandardInput(Scenario scenario) {
        String name = scenario.label();
        String fabric = Shell.run("demo", "--scenario", name, "--print-fabric").out();
        String[] doctor = {"doctor", "emu:source", "emu:target", "--fabric", "-", "--json"};
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(fabric.getBytes(StandardCharsets.UTF_8)));
            Shell run = Shell.run(doctor);
            assertThat(run.json().get("result").asText()).as(run.err()).matches("go|no-go");
            System.setIn(new ByteArrayInputStream(fabric.getBytes(StandardCharsets.UTF_8)));
            Shell copy =
                    Shell.run("copy", "emu:source", "emu:target", "--fabric", "-", "--dry-run");
            assertThat(copy.status()).as(copy.err()).isZero();
        } finally {
            System.setIn(before);
        }
    }
}
