package dev.peerlane.diagnose;

import static dev.peerlane.diagnose.Shapes.A;
import static dev.peerlane.diagnose.Shapes.B;
import static dev.peerlane.diagnose.Shapes.DOWN_0;
import static dev.peerlane.diagnose.Shapes.DOWN_1;
import static dev.peerlane.diagnose.Shapes.bdf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import dev.peerlane.pci.sysfs.SysfsTree;
import dev.peerlane.pci.sysfs.SystemFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AcsChangeTest {
    @TempDir Path directory;
    private Path root;
    private Path keep;

    @BeforeEach
    void aSwitchWithAcsOn() throws IOException {
        root = directory.resolve("root");
        keep = directory.resolve("acs.txt");
        Shapes.broadcom(0x5d).writeTo(root);
    }

    private Machine machine() {
        return SysfsTree.read(SystemFiles.of(root), f -> true).machine();
    }

    private List<byte[]> configs() throws IOException {
        List<byte[]> all = new ArrayList<>();
        for (var f : machine().functions()) {
            all.add(Files.readAllBytes(root.resolve(SysfsTree.directory(f.bdf()) + "/config")));
        }
        return all;
    }

    private AcsChange plan() {
        return AcsChange.between(machine(), List.of(bdf(A), bdf(B)));
    }

    @Test
    void onlyTheRoutesRedirectBitsChangeAndRestoreSetsEveryByte() throws IOException {
        List<byte[]> before = configs();
        assertThat(Route.between(machine(), bdf(A), bdf(B)).peerWrites())
                .isEqualTo(Verdict.REDIRECTED);
        AcsChange change = plan();
        assertThat(change.bridges())
                .extracting(AcsChange.Bridge::bdf)
                .containsExactly(bdf(DOWN_0), bdf(DOWN_1));
        change.apply(root, keep);
        assertThat(Route.between(machine(), bdf(A), bdf(B)).peerWrites()).isEqualTo(Verdict.DIRECT);
        assertThat(machine().function(bdf(DOWN_0)).orElseThrow().acs().control()).isEqualTo(0x51);
        int differing = 0;
        List<byte[]> changed = configs();
        for (int i = 0; i < before.size(); i++) {
            for (int at = 0; at < 4096; at++) {
                differing += before.get(i)[at] == changed.get(i)[at] ? 0 : 1;
            }
        }
        assertThat(differing).isEqualTo(2);
        AcsChange.load(keep).restore(root);
        List<byte[]> after = configs();
        for (int i = 0; i < before.size(); i++) {
            assertThat(after.get(i)).isEqualTo(before.get(i));
        }
    }

    @Test
    void theOldValuesAreNeverOverwritten() {
        plan().apply(root, keep);
        assertThatThrownBy(() -> plan().apply(root, keep))
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> assertThat(e.values()).containsEntry("kept", keep.toString()))
                .hasMessageContaining("exists");
    }

    @Test
    void aBridgeThatWasChangedMeanwhileIsLeftAlone() throws IOException {
        plan().apply(root, keep);
        Path config = root.resolve(SysfsTree.directory(bdf(DOWN_0)) + "/config");
        byte[] bytes = Files.readAllBytes(config);
        bytes[TreeBuilder.ACS + 6] = 0x01;
        Files.write(config, bytes);
        assertThatThrownBy(() -> AcsChange.load(keep).restore(root))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("changed meanwhile");
        assertThat(Files.readAllBytes(config)).isEqualTo(bytes);
    }

    @Test
    void aFailureHalfwayRestoresTheFirstBridges() throws IOException {
        AcsChange change = plan();
        List<byte[]> before = configs();
        Path second = root.resolve(SysfsTree.directory(bdf(DOWN_1)) + "/config");
        byte[] bytes = Files.readAllBytes(second);
        bytes[TreeBuilder.ACS + 6] = 0x04;
        Files.write(second, bytes);
        assertThatThrownBy(() -> change.apply(root, keep)).isInstanceOf(PeerlaneException.class);
        bytes[TreeBuilder.ACS + 6] = 0x5d;
        Files.write(second, bytes);
        List<byte[]> after = configs();
        for (int i = 0; i < before.size(); i++) {
            assertThat(after.get(i)).isEqualTo(before.get(i));
        }
    }

    @Test
    void theLostIsolationIsReportedWithTheGroups() {
        List<String> losses = plan().losses(machine());
        assertThat(losses).anyMatch(l -> l.contains(A) && l.contains(B));
        assertThat(losses).anyMatch(l -> l.contains("vfio"));
    }

    @Test
    void aSuspendedBridgeIsNotReadAndTheRemedyWakesIt() throws IOException {
        Path power = root.resolve(SysfsTree.directory(bdf(DOWN_0)) + "/power");
        Files.createDirectories(power);
        Files.writeString(power.resolve("runtime_status"), "suspended\n");
        assertThatThrownBy(this::plan)
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e ->
                                assertThat(e.explain())
                                        .contains(DOWN_0 + " was not read: it is suspended")
                                        .contains("echo on > /sys/bus/pci/devices/" + DOWN_0)
                                        .contains("echo auto > "));
    }

    @Test
    void reachedListsEveryDeviceBelowTheSwitch() {
        assertThat(plan().reached(machine())).containsExactly(bdf(A), bdf(B));
    }

    @Test
    void setpciLinesNameTheSetBitsOnly() {
        AcsChange.Bridge bridge = plan().bridges().getFirst();
        assertThat(bridge.line()).isEqualTo("setpci -s 0000:02:00.0 ECAP_ACS+6.w=0000:000c");
        assertThat(bridge.undoLine()).isEqualTo("setpci -s 0000:02:00.0 ECAP_ACS+6.w=000c:000c");
    }

    @Test
    void aFileWithoutOldValuesIsRefused() throws IOException {
        for (String text : List.of("", "# peerlane acs 1\nx", "# other\n")) {
            Files.writeString(keep, text);
            assertThatThrownBy(() -> AcsChange.load(keep))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("does not hold");
        }
    }
}
