package dev.peerlane.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Drives;
import dev.peerlane.cli.harness.MachineFolder;
import dev.peerlane.cli.harness.Shell;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** Tests topology, doctor and capture on fabrics, directories, captures and an empty directory. */
class DoctorCommandTest {
    @TempDir Path folder;
    private MachineFolder machine;
    private Path root;

    @BeforeEach
    void aMachineWithAcsOn() throws IOException {
        machine = new MachineFolder(folder);
        root = machine.root();
    }

    private String fabric(String more) {
        return new Drives(folder)
                .fabric(
                        """
                        kind: emulator
                        %s
                        drives:
                          - {name: a, size: 1MiB, cmb: {size: 1MiB}}
                          - {name: b, size: 1MiB, cmb: {size: 1MiB}}
                          - {name: bare, size: 1MiB}
                        """
                                .formatted(more));
    }

    @Test
    void aCaptureSaysWhatTheDirectorySays() {
        String file = machine.capture();
        for (List<String> command :
                List.of(
                        List.of("doctor", "03:00.0", "04:00.0", "--json"),
                        List.of("topology", "--json"),
                        List.of("acs", "show", "--json"))) {
            List<String> one = new ArrayList<>(command);
            one.addAll(List.of("--from", file));
            List<String> other = new ArrayList<>(command);
            other.addAll(List.of("--from", root.toString()));
            Shell ofFile = Shell.run(one.toArray(String[]::new));
            Shell ofDirectory = Shell.run(other.toArray(String[]::new));
            assertThat(ofFile.status()).isEqualTo(ofDirectory.status());
            assertThat(ofFile.out().replace(file, ""))
                    .isEqualTo(ofDirectory.out().replace(root.toString(), ""));
        }
    }

    @Test
    void redirectIsRefusedWithTheFixAndTheUndo() {
        Shell run = Shell.run("doctor", "03:00.0", "04:00.0", "--from", root.toString(), "--json");
        JsonNode findings = run.json().get("findings");
        List<String> codes = new ArrayList<>();
        findings.forEach(f -> codes.add(f.get("code").asText()));
        assertThat(codes).contains("acs-request-redirect", "acs-completion-redirect", "driver");
        assertThat(run.json().get("result").asText()).isEqualTo("no-go");
        assertThat(run.status())
                .isEqualTo(2); // while the driver holds the drive, it can't work at all
        Shell text = Shell.run("doctor", "03:00.0", "04:00.0", "--from", root.toString());
        String tree = Shell.run("topology", "--from", root.toString()).out();
        assertThat(tree).contains("UF!", "or a port whose ACS redirects");
        assertThat(text.out())
                .startsWith("NO-GO")
                .contains("peerlane acs disable 0000:03:00.0 0000:04:00.0 --save acs-")
                .contains("peerlane acs restore acs-0000:03:00.0-0000:04:00.0.txt")
                .contains("peerlane bind 0000:03:00.0 0000:04:00.0")
                .contains("pci=disable_acs_redir=0000:02:00.0;0000:02:01.0");
    }

    @Test
    void devicesThatAreNamedWithANamespaceAreLookedAt() {
        String[] plain = {
            "doctor", "03:00.0", "04:00.0", "--from", "" + root, "--buffer", "target"
        };
        String[] named = plain.clone();
        named[1] = "03:00.0/n1";
        assertThat(Shell.run(named).out()).doesNotContain("[config-unreadable]").isNotEmpty();
        assertThat(Shell.run(named).status()).isEqualTo(Shell.run(plain).status());
    }

    @ParameterizedTest
    @ValueSource(strings = {"topology", "doctor", "acs show", "doctor 03:00.0 04:00.0"})
    void withoutSysfsEachSaysWhatItNeeds(String line) throws IOException {
        Path empty = Files.createDirectories(folder.resolve("empty"));
        List<String> args = new ArrayList<>(List.of(line.split(" ")));
        args.addAll(List.of("--from", empty.toString()));
        Shell run = Shell.run(args.toArray(String[]::new));
        assertThat(run.out())
                .contains(line.startsWith("acs") ? "No bridge" : "/sys/bus/pci/devices");
        assertThat(run.status()).isEqualTo(line.startsWith("acs") ? 0 : 2);
    }

    @Test
    void aCaptureOfNothingSaysWhatItNeeds() throws IOException {
        Path empty = Files.createDirectories(folder.resolve("empty"));
        Path file = folder.resolve("nothing.zip");
        Shell run = Shell.run("capture", "" + file, "--from", "" + empty);
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).contains("holds 0 PCI functions").contains("mount sysfs");
        Shell disable = Shell.run("acs", "disable", "03:00.0", "04:00.0", "--from", "" + empty);
        assertThat(disable.status()).isEqualTo(2);
        assertThat(disable.err()).contains("no PCI functions in " + empty, "Mount sysfs", "--from");
    }

    @Test
    void onAnEmulatedFabricTheDoctorAgreesWithThePlanner() {
        for (String acs : List.of("off", "on")) {
            String fabric =
                    fabric(
                            acs.equals("off")
                                    ? ""
                                    : "ports: [{switch: [{drive: a, acs: 0x1d}, {drive: b}, {drive:"
                                            + " bare}]}]");
            Shell doctor = Shell.run(Drives.with(fabric, "doctor", "emu:a", "emu:b", "--json"));
            Shell plan =
                    Shell.run(
                            Drives.with(
                                    fabric,
                                    "copy",
                                    "emu:a@0+8",
                                    "emu:b@0+8",
                                    "--buffer",
                                    "target",
                                    "--dry-run"));
            assertThat(doctor.status()).isEqualTo(acs.equals("off") ? 0 : 3);
            assertThat(plan.status()).as(plan.err()).isEqualTo(doctor.status());
        }
    }

    /** Runs doctor and copy on two drives with blocks and a CMB of given sizes. */
    private Shell[] doctorAndPlan(int block, String cmb, String... copy) {
        String fabric =
                new Drives(folder)
                        .fabric(
                                """
                                kind: emulator
                                drives:
                                  - {name: a, size: 1MiB, blockBytes: %d}
                                  - {name: b, size: 1MiB, blockBytes: %d, cmb: {%s}}
                                """
                                        .formatted(block, block, cmb));
        List<String> plan = new ArrayList<>(List.of("copy", "emu:a", "emu:b", "--dry-run"));
        plan.addAll(List.of(copy));
        return new Shell[] {
            Shell.run(Drives.with(fabric, "doctor", "emu:a", "emu:b", "--buffer", "target")),
            Shell.run(Drives.with(fabric, plan.toArray(String[]::new)))
        };
    }

    @Test
    void aCmbOfOneBlockThatIsReadBackIsAGo() {
        Shell[] both = doctorAndPlan(4096, "size: 4KiB");
        assertThat(both[0].out()).startsWith("GO").doesNotContain("cmb-small");
        assertThat(both[1].out()).contains("the CMB of emu:b", "readback");
    }

    @Test
    void aCmbOfOneBlockThatLoadsOvertakeIsNoneAndBothSayTheSameNumbers() {
        String cmb = "size: 8KiB, version: 1.4, elasticity: 4096, readsBypass: true";
        Shell[] both = doctorAndPlan(8192, cmb, "--buffer", "target");
        String why = "8192 bytes are free, 16384 are needed";
        assertThat(both[0].out()).startsWith("NO-GO").contains("[cmb-small] 0000:04:00.0", why);
        assertThat(both[1].err()).contains(why + " [cmb-small]");
        assertThat(both[0].status()).isEqualTo(2).isEqualTo(both[1].status());
    }

    @ParameterizedTest
    @CsvSource({
        "emu:a, emu:b, write-protected, emu:b/n1 cannot be written: the namespace is write"
                + " protected",
        "emu:a, emu:c, namespace-unsupported, emu:c/n1 has 8 bytes of metadata with each block",
        "emu:c, emu:a, namespace-unsupported, emu:c/n1 has 8 bytes of metadata with each block",
        "emu:a, emu:a/n9, namespace-unsupported, emu:a has no active namespace 9",
        "emu:b, emu:a, '', ''",
    })
    void whatCantBeReadOrWrittenIsNoGoAndRefused(
            String source, String target, String code, String why) {
        String fabric =
                new Drives(folder)
                        .fabric(
                                """
                                kind: emulator
                                drives:
                                  - {name: a, size: 1MiB, cmb: {size: 1MiB}}
                                  - {name: b, size: 1MiB, writeProtected: true}
                                  - {name: c, size: 1MiB, metadataBytes: 8}
                                """);
        Shell doctor = Shell.run(Drives.with(fabric, "doctor", source, target));
        Shell copy = Shell.run(Drives.with(fabric, "copy", source, target, "--dry-run"));
        boolean go = code.isEmpty();
        assertThat(doctor.out()).startsWith(go ? "GO" : "NO-GO");
        assertThat(copy.status()).as(copy.err()).matches(status -> go == (status == 0));
        if (!go) {
            assertThat(doctor.out()).contains("[" + code + "]").contains(why);
            assertThat(copy.err()).contains(why);
            assertThat(doctor.status()).isEqualTo(2);
        }
    }

    @Test
    void theMatrixNamesTheCodeOfAMemoryThatCarriesNothing() {
        String fabric = fabric("");
        assertThat(Shell.run(Drives.with(fabric, "topology")).out())
                .contains("cmb-absent", "A code in a cell is the reason");
        JsonNode routes = Shell.run(Drives.with(fabric, "topology", "--json")).json().get("routes");
        for (JsonNode route : routes) {
            String owner = route.get("owner").asText();
            boolean bare = owner.equals("0000:05:00.0");
            assertThat(route.get("writeUnfit")).as("%s", route).hasSize(bare ? 1 : 0);
            assertThat(route.get("readUnfit")).as("%s", route).hasSize(bare ? 1 : 0);
        }
    }

    @Test
    void aPairIsDiagnosedInBothDirections() {
        String fabric = fabric("");
        Shell run = Shell.run(Drives.with(fabric, "doctor", "emu:a", "emu:bare"));
        assertThat(run.out()).contains("The other direction: GO through the CMB of emu:a");
        Shell json = Shell.run(Drives.with(fabric, "doctor", "emu:a", "emu:bare", "--json"));
        assertThat(json.json().at("/otherWay/result").asText()).isEqualTo("go");
        Shell asked =
                Shell.run(Drives.with(fabric, "doctor", "emu:bare", "emu:a", "--buffer", "target"));
        assertThat(asked.out())
                .startsWith("GO")
                .contains("The other direction: GO through the CMB of emu:a");
        Shell no =
                Shell.run(Drives.with(fabric, "doctor", "emu:a", "emu:b", "--fence", "readback"));
        assertThat(no.status()).as(no.out()).isZero();
    }

    @Test
    void theProbeDetectsALyingFabric() {
        String fabric = fabric("peerWrites: vanish");
        Shell believed = Shell.run(Drives.with(fabric, "doctor", "emu:a", "emu:b"));
        assertThat(believed.status()).isZero();
        Shell probed = Shell.run(Drives.with(fabric, "doctor", "emu:a", "emu:b", "--probe"));
        assertThat(probed.status()).isEqualTo(2);
        assertThat(probed.out()).contains("DIFFERS");
    }

    @Test
    void aBareTargetIsNamedAndTheOthersMemoryIsTaken() {
        Shell run = Shell.run(Drives.with(fabric(""), "doctor", "emu:a", "emu:bare", "--json"));
        assertThat(run.status()).isZero();
        assertThat(run.json().get("buffer").asText()).isEqualTo("0000:03:00.0");
        assertThat(run.json().get("otherBuffers").get(0).asText()).contains("cmb-absent");
    }

    /** Users other than root see only 64 bytes of each configuration space. */
    @Test
    void withoutRootEachSaysThatItIsUnknown() throws IOException {
        try (Stream<Path> devices = Files.list(root.resolve("sys/bus/pci/devices"))) {
            for (Path device : devices.toList()) {
                Path config = device.resolve("config");
                Files.write(config, Arrays.copyOf(Files.readAllBytes(config), 64));
            }
        }
        String from = root.toString();
        Shell topology = Shell.run("topology", "--from", from);
        assertThat(topology.out())
                .contains("UNKNOWN: run as root", "ACS unreadable", "Run as root")
                .doesNotContain("direct");
        for (JsonNode route :
                Shell.run("topology", "--from", from, "--json").json().get("routes")) {
            boolean own = route.get("initiator").equals(route.get("owner"));
            assertThat(route.get("write").asText()).isEqualTo(own ? "own" : "unknown");
            assertThat(route.get("read").asText()).isEqualTo(own ? "own" : "unknown");
            assertThat(route.get("writeAllowed").asBoolean()).isEqualTo(own);
            assertThat(route.get("kernelAllows").asBoolean()).isEqualTo(own);
        }
        for (String[] devices : new String[][] {{}, {"03:00.0", "04:00.0"}}) {
            List<String> words = new ArrayList<>(List.of("doctor", "--from", from));
            words.addAll(List.of(devices));
            Shell doctor = Shell.run(words.toArray(String[]::new));
            assertThat(doctor.status()).isEqualTo(2); // there is also no IOMMU
            assertThat(doctor.out())
                    .startsWith("NO-GO")
                    .contains("[config-unreadable]", "unknown: run as root")
                    .contains("[acs-unreadable]")
                    .doesNotContain("setpci");
        }
        Shell show = Shell.run("acs", "show", "--from", from);
        assertThat(show.out()).contains("unreadable: run as root");
        Shell disable = Shell.run("acs", "disable", "03:00.0", "04:00.0", "--from", from, "-n");
        assertThat(disable.status()).isEqualTo(2);
        assertThat(disable.err()).contains("0000:02:00.0 can't be read", "Run as root");
        Shell taken = Shell.run("capture", "" + folder.resolve("cut.zip"), "--from", from);
        assertThat(taken.status()).isZero();
        assertThat(taken.err()).contains("configuration space of 6 is truncated: run as root");
    }

    @Test
    void ofManyFindingsWithOneCodeTheTextExplainsOne() throws IOException {
        for (int i = 2; i < 12; i++) {
            String port = "0000:00:%02x.0".formatted(i);
            machine.rootPort(port);
            machine.drive("0000:%02x:00.0".formatted(0x10 + i), port);
        }
        Shell run = Shell.run("doctor", "--from", root.toString());
        assertThat(run.out())
                .containsOnlyOnce("refused [host-bridge-unknown]")
                .contains("also    [host-bridge-unknown]", "more: --json")
                .contains("also    [driver]");
        assertThat(run.out().split("\\[driver\\] 0000", -1)).hasSize(1 + 4 + 1);
        int findings =
                Shell.run("doctor", "--from", root.toString(), "--json")
                        .json()
                        .get("findings")
                        .size();
        assertThat(findings).isGreaterThan(100);
        assertThat(run.out().lines().count()).isLessThan(200);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 32})
    void thePictureIsSoundAndNoBoxesOverlap(int drives) throws Exception {
        StringBuilder yaml = new StringBuilder("kind: emulator\ndrives:\n");
        for (int i = 0; i < drives; i++) {
            yaml.append("  - {name: d%d, size: 1MiB, cmb: {size: 1MiB}}\n".formatted(i));
        }
        String fabric = new Drives(folder).fabric(yaml.toString());
        Path file = folder.resolve("picture.svg");
        Shell run = Shell.run(Drives.with(fabric, "topology", "--svg", file.toString()));
        assertThat(run.status()).as(run.err()).isZero();
        String svg = Files.readString(file);
        Element top =
                DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new InputSource(new StringReader(svg)))
                        .getDocumentElement();
        NodeList rectangles = top.getElementsByTagName("rect");
        List<double[]> boxes = new ArrayList<>();
        for (int i = 0; i < rectangles.getLength(); i++) {
            Element r = (Element) rectangles.item(i);
            if (r.hasAttribute("rx")) {
                boxes.add(
                        new double[] {
                            number(r, "x"), number(r, "y"), number(r, "width"), number(r, "height")
                        });
            }
        }
        assertThat(boxes).hasSize(1 + 2 + 2 * drives);
        for (int i = 0; i < boxes.size(); i++) {
            assertThat(boxes.get(i)[0] + boxes.get(i)[2]).isLessThan(number(top, "width"));
            for (int j = 0; j < i; j++) {
                assertThat(overlap(boxes.get(i), boxes.get(j))).isFalse();
            }
        }
        NodeList texts = top.getElementsByTagName("text");
        for (int i = 0; i < texts.getLength(); i++) {
            Element text = (Element) texts.item(i);
            double end = number(text, "x") + 6.6 * text.getTextContent().length();
            assertThat(end).as(text.getTextContent()).isLessThan(number(top, "width"));
        }
        assertThat(top.getElementsByTagName("title").getLength()).isEqualTo(1 + drives * drives);
    }

    private static boolean overlap(double[] a, double[] b) {
        return a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];
    }

    private static double number(Element element, String name) {
        return Double.parseDouble(element.getAttribute(name));
    }
}
