package dev.peerlane.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Shell;
import dev.peerlane.copy.Receipt;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoCommandTest {
    @Test
    void theDemoShowsBothCopiesAndLeavesNothingBehind(@TempDir Path temporary) throws IOException {
        String usual = System.setProperty("java.io.tmpdir", temporary.toString());
        Shell run;
        try {
            run = Shell.run("demo", "--size", "1MiB");
        } finally {
            System.setProperty("java.io.tmpdir", usual);
        }
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("1 MiB from one emulated SSD to another")
                .containsPattern("buffer +CMB of emu:ssd1 +host memory")
                .containsPattern("bytes copied +1,048,576 +1,048,576")
                .containsPattern("data bytes in host memory +0 +4,194,304")
                .containsPattern("verified by +target-compare: ok +host: ok")
                .containsPattern("target, peer to peer +[0-9a-f]{64} +the same")
                .containsPattern("target, host memory +[0-9a-f]{64} +the same")
                .contains("Every byte arrived");
        try (Stream<Path> left = Files.list(temporary)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void aDemoWithoutRoomForItsImagesIsStatus2(@TempDir Path temporary) {
        Path gone = temporary.resolve("gone");
        String usual = System.setProperty("java.io.tmpdir", gone.toString());
        Shell run;
        try {
            run = Shell.run("demo", "--size", "64KiB", "--json");
        } finally {
            System.setProperty("java.io.tmpdir", usual);
        }
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.json().get("error").get("code").asText()).isEqualTo("demo-files");
        assertThat(run.err()).contains(gone.toString());
    }

    @Test
    void theDocumentIsAReceiptWithTheOtherCopyBesideIt() {
        Shell run = Shell.run("demo", "--size", "256KiB", "--json");
        assertThat(run.status()).as(run.err()).isZero();
        JsonNode demo = run.json();
        assertThat(demo.get("schema").asText()).isEqualTo("peerlane.demo/1");
        for (RecordComponent field : Receipt.class.getRecordComponents()) {
            assertThat(demo.has(field.getName())).as(field.getName()).isTrue();
        }
        assertThat(demo.get("result").asText()).isEqualTo("ok");
        assertThat(demo.get("hostDataBytes").asLong()).isZero();
        assertThat(demo.get("buffer").get("kind").asText()).isEqualTo("target-cmb");
        JsonNode sums = demo.get("checksums");
        assertThat(sums.get("algorithm").asText()).isEqualTo("SHA-256");
        assertThat(sums.get("source").asText()).hasSize(64);
        assertThat(sums.get("target")).isEqualTo(sums.get("source"));
        assertThat(sums.get("targetThroughHost")).isEqualTo(sums.get("source"));
        JsonNode host = demo.get("throughHost");
        assertThat(host.get("buffer").get("kind").asText()).isEqualTo("host");
        assertThat(host.get("hostDataBytes").asLong()).isEqualTo(4 * 256 * 1024);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1000", "big", "9999999TiB"})
    void aSizeThatMakesNoSenseIsStatus1(String size) {
        Shell run = Shell.run("demo", "--json", "--size", size);
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.json().get("error").get("code").asText()).isEqualTo("bad-size");
    }

    @Test
    void anInterruptedDemoIsStatus130() {
        assertThat(Shell.interruptedAt("", "demo", "--size", "1MiB").status()).isEqualTo(130);
    }

    @Test
    void wrongBytesOrHostTrafficFailTheDemo() {
        Shell run = Shell.run("demo", "--size", "64KiB", "--json");
        JsonNode good = run.json();
        assertThat(problem(good, "aa", "aa", "aa", 0L)).isNull();
        assertThat(problem(good, "aa", "ab", "aa", 0L)).contains("differs").contains("CMB");
        assertThat(problem(good, "aa", "aa", "ab", 0L)).contains("differs").contains("host");
        assertThat(problem(good, "aa", "aa", "aa", 512L)).contains("512 data bytes");
        assertThat(problem(good, "aa", "aa", "aa", null)).contains("null data bytes");
    }

    private static String problem(
            JsonNode like, String source, String target, String host, Long hostData) {
        Receipt receipt = receipt(like, hostData);
        var problem =
                new DemoRun.Outcome(
                                source,
                                new DemoRun.Copied(receipt, target),
                                new DemoRun.Copied(receipt, host))
                        .problem();
        return problem == null ? null : problem.getMessage();
    }

    private static Receipt receipt(JsonNode like, Long hostData) {
        return new Receipt(
                Receipt.SCHEMA,
                "ok",
                null,
                null,
                null,
                List.of(),
                "sentinel",
                0,
                0,
                new Receipt.Tuning(0, 0, 0, List.of()),
                like.get("bytesCopied").asLong(),
                List.of(),
                hostData,
                new Receipt.Verification("target-compare", "ok", "", 0, 0),
                0,
                0,
                0,
                List.of(),
                null);
    }
}
