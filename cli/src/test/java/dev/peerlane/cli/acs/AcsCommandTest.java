package dev.peerlane.cli.acs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.harness.MachineFolder;
import dev.peerlane.cli.harness.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests acs show, disable and restore on a directory laid out like a machine. */
class AcsCommandTest {
    @TempDir private Path folder;
    private MachineFolder machine;
    private Path root;

    @BeforeEach
    void aMachineWithAcsOn() throws IOException {
        machine = new MachineFolder(folder);
        root = machine.root();
    }

    @Test
    void disableKeepsTheOldValuesAndRestoreSetsEveryByte() throws IOException {
        byte[] before = machine.config("0000:02:00.0");
        Path keep = folder.resolve("acs.txt");
        String[] disable = {
            "acs", "disable", "03:00.0", "04:00.0", "--from", root.toString(), "--save", "" + keep
        };
        Shell nobody = Shell.run(disable);
        assertThat(nobody.status()).isEqualTo(3);
        assertThat(machine.config("0000:02:00.0")).isEqualTo(before);
        assertThat(Shell.answering("n\n", disable).status()).isEqualTo(3);
        assertThat(keep).doesNotExist();
        Shell yes = Shell.answering("y\n", disable);
        assertThat(yes.status()).as(yes.err()).isZero();
        assertThat(yes.err()).contains("0000:03:00.0, 0000:04:00.0 below 0000:01:00.0");
        assertThat(machine.config("0000:02:00.0")[MachineFolder.ACS + 6]).isEqualTo((byte) 0x11);
        Shell restore = Shell.run("acs", "restore", "" + keep, "--from", "" + root, "--yes");
        assertThat(restore.status()).as(restore.err()).isZero();
        assertThat(machine.config("0000:02:00.0")).isEqualTo(before);
    }

    /** Binds the second drive to vfio-pci and lets a program hold a device node open. */
    private void guest(String node) throws IOException {
        machine.link(
                "sys/bus/pci/devices/0000:04:00.0/driver", "../../../../bus/pci/drivers/vfio-pci");
        machine.link(
                "sys/bus/pci/devices/0000:04:00.0/iommu_group",
                "../../../../kernel/iommu_groups/12");
        machine.link("proc/self/ns/pid", "pid:[4026531836]");
        machine.link("proc/900000088/fd/11", node);
        Files.writeString(root.resolve("proc/900000088/comm"), "qemu-system-x86\n");
    }

    @Test
    void disablingUnderAVirtualMachineIsRefusedUnlessTold() throws IOException {
        guest("/dev/vfio/12");
        byte[] before = machine.config("0000:02:00.0");
        Path keep = folder.resolve("acs.txt");
        String[] disable = {
            "acs", "disable", "03:00.0", "04:00.0", "--from", "" + root, "--save", "" + keep, "-y"
        };
        for (String last : List.of("-y", "--dry-run")) {
            disable[disable.length - 1] = last;
            Shell refused = Shell.run(disable);
            assertThat(refused.status()).isEqualTo(3);
            assertThat(refused.out()).isEmpty();
            assertThat(refused.err())
                    .contains("0000:04:00.0 is in use (process 900000088 (qemu-system-x86)")
                    .contains("an address of its own that equals a peer's BAR")
                    .contains("--guests-ok");
        }
        assertThat(keep).doesNotExist();
        assertThat(machine.config("0000:02:00.0")).isEqualTo(before);
        disable[disable.length - 1] = "-y";
        String[] told = Arrays.copyOf(disable, disable.length + 1);
        told[disable.length] = "--guests-ok";
        Shell run = Shell.run(told);
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err()).contains("Warning: 0000:04:00.0 is in use");
        assertThat(machine.config("0000:02:00.0")[MachineFolder.ACS + 6]).isEqualTo((byte) 0x11);
    }

    @Test
    void disablingIsRefusedIfTheUsersOfADeviceAreUnknown() throws IOException {
        guest("/nowhere");
        String[] disable = {
            "acs", "disable", "03:00.0", "04:00.0", "--from", "" + root, "--dry-run"
        };
        assertThat(Shell.run(disable).status())
                .as("all programs are visible, none uses it")
                .isZero();
        machine.link("proc/self/ns/pid", "pid:[4026532999]");
        Shell refused = Shell.run(disable);
        assertThat(refused.status()).isEqualTo(3);
        assertThat(refused.err()).contains("0000:04:00.0 may be in use", "PID namespace");
    }

    @Test
    void showProposesTheGuardedCommandWithItsUndo() {
        Shell show = Shell.run("acs", "show", "03:00.0", "04:00.0", "--from", "" + root);
        assertThat(show.out())
                .contains("  peerlane acs disable 03:00.0 04:00.0\n")
                .contains("  peerlane acs restore peerlane-acs.txt\n")
                .doesNotContain("setpci");
    }

    @Test
    void aDryRunPrintsTheLinesAndChangesNothing() throws IOException {
        byte[] before = machine.config("0000:02:00.0");
        Shell run =
                Shell.run(
                        "acs",
                        "disable",
                        "03:00.0",
                        "04:00.0",
                        "--from",
                        machine.capture(),
                        "--dry-run");
        assertThat(run.status()).isZero();
        assertThat(run.out().lines())
                .containsExactly(
                        "setpci -s 0000:02:00.0 ECAP_ACS+6.w=0000:000c",
                        "setpci -s 0000:02:01.0 ECAP_ACS+6.w=0000:000c");
        assertThat(machine.config("0000:02:00.0")).isEqualTo(before);
        Shell real =
                Shell.run(
                        "acs",
                        "disable",
                        "03:00.0",
                        "04:00.0",
                        "--from",
                        folder.resolve("machine.zip").toString());
        assertThat(real.status()).isEqualTo(1);
    }
}
