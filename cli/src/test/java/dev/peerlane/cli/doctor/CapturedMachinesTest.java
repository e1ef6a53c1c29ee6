package dev.peerlane.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Shell;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs commands on captures of QEMU guests for which Linux gives the same verdicts. {@code ./dev
 * kernel-verdicts} takes the captures and compares the verdicts.
 */
class CapturedMachinesTest {
    @TempDir private Path folder;

    private Path capture(String name) {
        Path file = folder.resolve(name + ".zip");
        try (InputStream in = getClass().getResourceAsStream("captures/" + name + ".zip")) {
            Files.write(file, in.readAllBytes());
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "switch, 03:00.0, 04:00.0, direct, 3",
        "switch, 03:00.0, 05:00.0, root-untrusted, 4",
        "switch-iommu, 03:00.0, 04:00.0, direct, 3",
        "switch-iommu, 05:00.0, 04:00.0, root-untrusted, 4",
        "cascade, 05:00.0, 08:00.0, direct, 7",
        "cascade, 05:00.0, 09:00.0, direct, 5",
        "cascade-iommu, 08:00.0, 09:00.0, direct, 5",
        "roots, 01:00.0, 02:00.0, root-untrusted, 2",
        "roots-iommu, 01:00.0, 02:00.0, root-untrusted, 2",
        "functions-iommu, 01:00.0, 01:00.1, redirected, 2"
    })
    void topologyAndDoctorGiveTheVerdictBothWays(
            String name, String one, String other, String verdict, int hops) {
        String file = capture(name).toString();
        JsonNode routes = Shell.run("topology", "--from", file, "--json").json().get("routes");
        for (List<String> way : List.of(List.of(one, other), List.of(other, one))) {
            JsonNode route = null;
            for (JsonNode each : routes) {
                if (each.get("initiator").asText().equals("0000:" + way.getFirst())
                        && each.get("owner").asText().equals("0000:" + way.getLast())) {
                    route = each;
                }
            }
            assertThat(route).as("%s in %s", way, routes).isNotNull();
            assertThat(route.get("write").asText()).isEqualTo(verdict);
            assertThat(route.get("read").asText()).isEqualTo(verdict);
            assertThat(route.get("hops").asInt()).isEqualTo(hops);
            assertThat(route.get("bytesPerSecond").asLong()).isEqualTo(250_000_000);

            Shell doctor =
                    Shell.run(
                            "doctor",
                            way.getFirst(),
                            way.getLast(),
                            "--buffer",
                            "target",
                            "--from",
                            file,
                            "--json");
            assertThat(doctor.status()).as("the kernel's driver holds them").isEqualTo(2);
            JsonNode write = doctor.json().get("legs").get(0);
            assertThat(write.get("direction").asText()).isEqualTo("write");
            assertThat(write.get("verdict").asText()).isEqualTo(verdict);
            List<String> codes = codes(doctor.json());
            assertThat(codes).contains("driver", "virtual-machine");
            assertThat(codes.contains("host-bridge-unknown"))
                    .isEqualTo(verdict.equals("root-untrusted"));
            assertThat(codes.contains("acs-request-redirect"))
                    .isEqualTo(verdict.equals("redirected"));
            assertThat(codes.contains("no-iommu")).isEqualTo(!name.endsWith("-iommu"));
        }
    }

    private static List<String> codes(JsonNode document) {
        List<String> codes = new ArrayList<>();
        document.get("findings").forEach(f -> codes.add(f.get("code").asText()));
        return codes;
    }

    @Test
    void theLineThatLinuxLogsIsTheFixThatTheDoctorPrints() {
        String file = capture("functions-iommu").toString();
        String text = Shell.run("doctor", "01:00.0", "01:00.1", "--from", file).out();
        assertThat(text)
                .contains("peerlane acs disable ")
                .contains("pci=disable_acs_redir=0000:00:01.0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"switch", "cascade-iommu", "functions-iommu"})
    void aDirectoryLaidOutLikeTheCaptureSaysTheSame(String name) throws IOException {
        Path file = capture(name);
        Path root = Files.createDirectory(folder.resolve("unpacked"));
        unpack(file, root);
        for (String command : List.of("topology", "doctor", "acs show")) {
            List<String> words = new ArrayList<>(List.of(command.split(" ")));
            words.addAll(List.of("--json", "--from"));
            Shell ofFile = Shell.run(with(words, file));
            Shell ofDirectory = Shell.run(with(words, root));
            assertThat(ofDirectory.status()).isEqualTo(ofFile.status());
            assertThat(ofDirectory.out().replace(root.toString(), "X"))
                    .isEqualTo(ofFile.out().replace(file.toString(), "X"));
        }
    }

    /**
     * Configuration spaces are replaced by random bytes and by capabilities that point anywhere.
     */
    @Test
    void hostileConfigurationSpacesAreAnsweredByEveryCommand() throws IOException {
        long seed = 20_261_125;
        Random random = new Random(seed);
        Path root = Files.createDirectory(folder.resolve("unpacked"));
        unpack(capture("cascade-iommu"), root);
        Path picture = folder.resolve("picture.svg");
        for (int round = 0; round < 20; round++) {
            try (Stream<Path> devices = Files.list(root.resolve("sys/bus/pci/devices"))) {
                for (Path device : devices.sorted().toList()) {
                    Path config = device.resolve("config");
                    byte[] bytes = new byte[random.nextInt(5000)];
                    random.nextBytes(bytes);
                    byte[] real = Files.readAllBytes(config);
                    int kept = Math.min(random.nextInt(0x200), Math.min(real.length, bytes.length));
                    System.arraycopy(real, 0, bytes, 0, kept);
                    Files.write(config, bytes);
                }
            }
            for (String line :
                    List.of(
                            "topology",
                            "topology --json",
                            "topology --svg " + picture,
                            "doctor",
                            "doctor 05:00.0 08:00.0 --json",
                            "acs show",
                            "acs disable 05:00.0 08:00.0 --dry-run")) {
                List<String> words = new ArrayList<>(List.of(line.split(" ")));
                words.add("--from");
                Shell run = Shell.run(with(words, root));
                assertThat(run.status()).as("seed %d, %s: %s", seed, line, run.err()).isIn(0, 2, 3);
            }
        }
    }

    private static String[] with(List<String> words, Path from) {
        List<String> all = new ArrayList<>(words);
        all.add(from.toString());
        return all.toArray(String[]::new);
    }

    /** Unpacks a capture like sysfs, where a device's entry is a link to its place in the tree. */
    private static void unpack(Path capture, Path root) throws IOException {
        try (ZipFile zip = new ZipFile(capture.toFile())) {
            Map<String, String> links = new TreeMap<>(); // a device before those below it
            for (String line : text(zip, "links").lines().toList()) {
                links.put(
                        line.substring(0, line.indexOf('\t')),
                        line.substring(line.indexOf('\t') + 1));
            }
            for (Map.Entry<String, String> link : links.entrySet()) {
                Path at = root.resolve(link.getKey());
                Path device = root.resolve("sys/bus/pci/devices");
                Path target = device.resolve(link.getValue()).normalize();
                Path below = at.getParent();
                Files.createDirectories(below);
                if (!below.equals(
                        device)) { // sysfs resolves links from the real directory, which is deeper
                    String end = link.getValue().replaceAll("^(\\.\\./)+", "");
                    target = root.resolve("sys").resolve(end);
                    below = below.toRealPath();
                }
                Files.createDirectories(target);
                Path real = below.resolve(at.getFileName());
                Files.createSymbolicLink(real, below.relativize(target));
            }
            for (ZipEntry entry : Collections.list(zip.entries())) {
                Path file = root.resolve(entry.getName());
                Files.createDirectories(file.getParent());
                Files.write(file, zip.getInputStream(entry).readAllBytes());
            }
        }
    }

    private static String text(ZipFile zip, String name) throws IOException {
        byte[] content = zip.getInputStream(zip.getEntry(name)).readAllBytes();
        return new String(content, StandardCharsets.UTF_8);
    }
}
