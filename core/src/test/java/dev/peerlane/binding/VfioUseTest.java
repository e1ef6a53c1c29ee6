package dev.peerlane.binding;

import static dev.peerlane.binding.BindMachine.A;
import static dev.peerlane.binding.BindMachine.B;
import static dev.peerlane.binding.BindMachine.NOTHING;
import static dev.peerlane.binding.BindMachine.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.linux.Errno;
import dev.peerlane.vfio.FakeNodes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests finding the users of a function through VFIO: with groups, without groups, and where it
 * can't be decided.
 */
class VfioUseTest {
    private static final String USER = "900000088";

    @TempDir private Path directory;
    private BindMachine machine;

    @BeforeEach
    void boundDrives() {
        machine = new BindMachine(directory);
        machine.binder().apply(machine.binder().bind(List.of(A, B), NOTHING));
        machine.sysfs.text(A, "vfio-dev/vfio3/dev", "511:3\n");
    }

    private void program(String... targets) {
        machine.proc(USER + "/comm", "qemu-system-x86");
        int fd = 10;
        for (String target : targets) {
            machine.procLink(USER + "/fd/" + fd++, target);
        }
    }

    private void group(long answer) {
        FakeNodes.OtherFile node = new FakeNodes.OtherFile("group 21");
        node.refusal = answer;
        machine.kernel.otherFiles.put("/dev/vfio/21", node);
    }

    private VfioUse.Answer use() {
        return new VfioUse(machine.kernel, machine.system).of(machine.function(A));
    }

    private void assertKept(String... words) {
        assertRefused(() -> machine.binder().unbind(List.of(A)), "device-in-use", words);
        assertThat(machine.driver(A)).isEqualTo("vfio-pci");
    }

    @Test
    void withoutGroupsAProgramThatHasTheDevicesNodeOpenUsesIt() {
        program("/dev/vfio/devices/vfio3");
        assertKept("process " + USER + " (qemu-system-x86)", "/dev/vfio/devices/vfio3");
        assertThat(machine.binder().unbind(List.of(B)).lines()).isNotEmpty();
    }

    @Test
    void aGroupThatAProgramHasOpenIsNamedWithTheProgram() {
        program("/dev/vfio/21");
        group(-Errno.EBUSY);
        assertKept("process " + USER + " (qemu-system-x86)", "/dev/vfio/21");
    }

    @Test
    void aBusyGroupIsInUseEvenIfNoProgramIsVisible() {
        group(-Errno.EBUSY);
        assertKept("/dev/vfio/21 is in use by an unknown program");
    }

    @Test
    void aGroupThatCannotBeOpenedIsNotFree() {
        group(-Errno.EACCES);
        assertKept("a program may use it", "/dev/vfio/21", "Run as root");
    }

    @Test
    void withoutGroupsInAContainerNothingIsKnownSoNothingIsFree() throws IOException {
        Path namespace = machine.system.proc().resolve("self/ns/pid");
        Files.delete(namespace);
        machine.procLink("self/ns/pid", "pid:[4026532999]");
        assertKept("a program may use it", "PID namespace");
        Files.delete(namespace);
        assertKept("a program may use it");
    }

    @Test
    void withoutGroupsAnUnreadableProgramMayUseIt() {
        machine.proc(USER + "/comm", "secret");
        machine.proc(USER + "/fd", "a file, which can't be listed as root may list everything");
        assertKept("a program may use it", "process " + USER + " (secret)");
    }

    @Test
    void aProgramWithAnUnidentifiedDeviceMayUseAny() {
        program("anon_inode:[vfio-device]");
        group(0);
        assertKept("process " + USER + " (qemu-system-x86)", "it is unknown which");
    }

    @Test
    void withoutGroupsItIsFreeIfAllProgramsAreReadable() {
        program("/dev/vfio/devices/vfio4", "anon_inode:[vfio-device]", "/dev/vfio/22");
        assertThat(use().isFree()).isTrue();
        assertThat(machine.binder().unbind(List.of(A)).lines()).isNotEmpty();
    }

    @Test
    void aFunctionOfAnotherDriverIsNotUsedThroughVfio() {
        machine.sysfs.driver(A, "nvme");
        group(-Errno.EBUSY);
        assertThat(use().isFree()).isTrue();
    }

    @Test
    void aListingNamesTheProgramThatUsesADriveThroughVfio() {
        program("/dev/vfio/devices/vfio3");
        assertThat(Inventory.read(machine.system).getFirst().inUse())
                .containsExactly(
                        "process " + USER + " (qemu-system-x86) has /dev/vfio/devices/vfio3 open");
    }
}
