package dev.peerlane.binding;

import static dev.peerlane.binding.BindMachine.A;
import static dev.peerlane.binding.BindMachine.ALL;
import static dev.peerlane.binding.BindMachine.B;
import static dev.peerlane.binding.BindMachine.BRIDGE;
import static dev.peerlane.binding.BindMachine.NOTHING;
import static dev.peerlane.binding.BindMachine.SOUND;
import static dev.peerlane.binding.BindMachine.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.pci.Bdf;
import dev.peerlane.vfio.FakeNodes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests each use that prevents binding a drive, with its message. */
class BindRefusalTest {
    @TempDir private Path directory;
    private BindMachine machine;

    @BeforeEach
    void machine() {
        machine = new BindMachine(directory);
    }

    @AfterEach
    void nothingStaysOpen() {
        machine.assertNothingLeft();
        assertThat(machine.drivers.done).as("nothing was written").isEmpty();
    }

    @Test
    void aMountedDriveIsRefused() {
        machine.proc("self/mountinfo", "30 22 259:12 / /data rw shared:7 - xfs /dev/nvme0n1p2 rw");
        machine.assertInUse("nvme0n1p2 (on nvme0n1) is mounted on /data", "Unmount it");
        machine.binder().bind(List.of(B), NOTHING);
    }

    @Test
    void aMountThatOnlyInitSeesCountsToo() {
        machine.proc("1/mountinfo", "30 22 259:10 / /srv rw - xfs /dev/disk/by-id/x rw");
        machine.assertInUse("nvme0n1 is mounted on /srv");
    }

    @Test
    void aMountInAnotherNamespaceIsReportedWithAProcessInIt() {
        machine.procLink("self/ns/mnt", "mnt:[1]");
        machine.procLink("900000077/ns/mnt", "mnt:[2]");
        machine.proc("900000077/comm", "postgres");
        machine.proc(
                "900000077/mountinfo",
                "1 0 254:1 / / rw - ext4 /dev/vda1 rw",
                "30 22 259:10 / / rw - xfs /dev/nvme0n1 rw");
        machine.assertInUse(
                "nvme0n1 is mounted on / in the mount namespace of process 900000077 (postgres)");
    }

    @Test
    void theRunningRootOnAStackIsRefusedThroughEveryLayer() {
        machine.sysfs.file("class/block/nvme0n1p2/holders/md0/x", "");
        machine.sysfs.file("class/block/md0/dev", "9:0\n");
        machine.sysfs.file("class/block/md0/holders/dm-1/x", "");
        machine.sysfs.file("class/block/dm-1/dev", "253:1\n");
        machine.sysfs.file("class/block/dm-1/dm/name", "vg-root\n");
        machine.sysfs.file("class/block/dm-1/dm/uuid", "LVM-abcdef\n");
        machine.proc("self/mountinfo", "22 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw");
        machine.assertInUse(
                "nvme0n1p2 is part of md0",
                "md0 is part of dm-1, vg-root (LVM)",
                "dm-1 (on nvme0n1) holds the running root");
    }

    @Test
    void swapIsRefused() {
        machine.proc("swaps", "Filename Type Size", "/dev/nvme0n1p2    partition  1048572  0  -2");
        machine.assertInUse("nvme0n1p2 (on nvme0n1) is used as swap", "swapoff");
    }

    @Test
    void aMemberOfABtrfsOrABcacheIsRefused() {
        machine.sysfs.file("fs/btrfs/1234/devices/nvme0n1/x", "");
        machine.sysfs.file("class/block/nvme0n1p2/bcache/set", "");
        machine.assertInUse(
                "nvme0n1 is part of a mounted btrfs", "nvme0n1p2 (on nvme0n1) is part of a bcache");
    }

    @Test
    void aLoopDeviceOnAPartitionIsRefusedAndItsOwnUseIsFound() {
        machine.sysfs.file("class/block/loop3/loop/backing_file", "/dev/nvme0n1p2\n");
        machine.sysfs.file("class/block/loop3/dev", "7:3\n");
        machine.proc("self/mountinfo", "30 22 7:3 / /image rw - ext4 /dev/loop3 rw");
        machine.assertInUse(
                "nvme0n1p2 is the backing device of loop3",
                "loop3 (on nvme0n1) is mounted on /image");
    }

    @Test
    void aDriveExportedByAnNvmeOrScsiTargetIsRefused() {
        String subsystem = "kernel/config/nvmet/subsystems/nqn.x/";
        machine.sysfs.file(subsystem + "namespaces/1/device_path", "/dev/nvme0n1\n");
        machine.sysfs.file(subsystem + "namespaces/1/enable", "0\n");
        machine.sysfs.file(subsystem + "passthru/device_path", "/dev/nvme1\n");
        machine.sysfs.file(subsystem + "passthru/enable", "1\n");
        machine.sysfs.file("kernel/config/target/core/iblock_0/shop/udev_path", "/dev/nvme0n1p2");
        machine.sysfs.file("kernel/config/target/core/iblock_0/shop/enable", "1\n");
        machine.assertInUse("nvme0n1p2 (on nvme0n1) is exported by the SCSI target as shop");
        machine.sysfs.file(subsystem + "namespaces/1/enable", "1\n");
        machine.assertInUse("nvme0n1 is exported by the NVMe target as nqn.x");
        assertRefused(
                () -> machine.binder().bind(List.of(B), ALL),
                "device-in-use",
                "nvme1n1 is exported by the NVMe target as nqn.x");
    }

    @Test
    void aProgramThatHasANodeOpenIsNamed() {
        machine.proc("900000078/comm", "qemu-system-x86");
        machine.procLink("900000078/fd/11", "/dev/nvme0n1p2");
        machine.procLink("900000078/fd/12", "/dev/ng1n1");
        machine.assertInUse(
                "nvme0n1p2 (on nvme0n1) is open in process 900000078 (qemu-system-x86)",
                "end the program");
        assertRefused(
                () -> machine.binder().bind(List.of(B), ALL), "device-in-use", "nvme1n1 is open");
    }

    @Test
    void anInvisibleExclusiveUserIsRefusedAndZfsIsSuspected() {
        machine.node("nvme0n1").exclusiveRefusal = -Errno.EBUSY;
        machine.assertInUse("nvme0n1 is held exclusively by an unknown user");
        machine.sysfs.file("module/zfs/version", "2\n");
        machine.assertInUse("nvme0n1 is held exclusively by a ZFS pool (zpool status) or");
    }

    @Test
    void multipathNamesLeadToTheVisibleDisk() throws IOException {
        Path controller = machine.sysfs.place(B).resolve("nvme/nvme1");
        Files.delete(controller.resolve("nvme1n1/nsid"));
        Files.delete(controller.resolve("nvme1n1"));
        machine.sysfs.text(B, "nvme/nvme1/nvme1c1n1/nsid", "7\n");
        machine.proc("self/mountinfo", "30 22 259:20 / /data rw - xfs /dev/nvme1n1 rw");
        assertRefused(
                () -> machine.binder().bind(List.of(B), NOTHING),
                "device-in-use",
                "nvme1n1 is mounted on /data");
    }

    @Test
    void disksOfOtherKindsOfControllersAreCheckedToo() {
        machine.sysfs.text(SOUND, "host0/block/sda/dev", "8:0\n");
        machine.sysfs.linkTo(
                "class/block/sda", machine.sysfs.place(SOUND).resolve("host0/block/sda"));
        machine.proc("self/mountinfo", "30 22 8:0 / /data rw - xfs /dev/sda rw");
        machine.kernel.otherFiles.put("/dev/sda", new FakeNodes.OtherFile("sda"));
        assertRefused(
                () -> machine.binder().bind(List.of(SOUND), ALL),
                "device-in-use",
                "sda is mounted on /data");
    }

    @Test
    void aGroupWithOthersIsRefusedUnlessAllAreNamed() {
        Bdf other = Bdf.parse("01:00.1");
        byte[] drive = BindMachine.config(dev.peerlane.pci.PciFunction.CLASS_NVME, 0);
        machine.sysfs.function(other, BRIDGE, drive).text(other, "nvme/nvme7/model", "Third\n");
        machine.kernel.otherFiles.put("/dev/nvme7", new FakeNvmeNode("/dev/nvme7"));
        machine.sysfs.group(other, 21).driver(other, "nvme");
        assertRefused(
                () -> machine.binder().bind(List.of(A), NOTHING),
                "group-not-viable",
                "IOMMU group 21",
                "0000:01:00.1 (nvme)",
                "Bind 0000:01:00.0 0000:01:00.1 together",
                "a slot with a group of its own");
        assertThatThrownBy(() -> machine.binder().bind(List.of(A), NOTHING))
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e ->
                                assertThat(e.values())
                                        .containsEntry("functions", "0000:01:00.0 0000:01:00.1"));
        assertThat(machine.binder().bind(List.of(A, other), ALL).moves()).hasSize(2);
        machine.sysfs.driver(other, null);
        assertThat(machine.binder().bind(List.of(A), NOTHING).moves()).hasSize(1);
    }

    @Test
    void bindingAFunctionThatIsNoDriveIsNeverProposed() {
        Bdf other = Bdf.parse("01:00.1");
        machine.sysfs.function(other, BRIDGE, BindMachine.config(0x020000, 0));
        machine.sysfs.group(other, 21).driver(other, "e1000e");
        assertThatThrownBy(() -> machine.binder().bind(List.of(A), ALL))
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> {
                            assertThat(e.explain())
                                    .contains("0000:01:00.1 (e1000e)")
                                    .contains("Put the drive into a slot")
                                    .doesNotContain("Bind");
                            assertThat(e.values()).containsOnlyKeys("function");
                        });
    }

    private void assertShared(String... words) {
        assertRefused(() -> machine.binder().bind(List.of(A), NOTHING), "device-shared", words);
        EnumSet<BindPlan.Allow> shared = EnumSet.of(BindPlan.Allow.SHARED);
        assertThat(machine.binder().bind(List.of(A), shared).lines()).isNotEmpty();
    }

    @Test
    void aDriveThatAnotherHostMayUseIsRefusedUnlessAllowed() {
        FakeNvmeNode node = machine.node("nvme0");
        node.controller[FakeNvmeNode.CMIC] = 1;
        assertShared(
                "nvme0 is in a subsystem with several ports (CMIC)",
                "See that no other host or controller uses it");
        node.controller[FakeNvmeNode.CMIC] = 2;
        assertShared("nvme0 is one of several controllers of its subsystem (CMIC)");
        node.controller[FakeNvmeNode.CMIC] = 8;
        assertThat(machine.binder().bind(List.of(A), NOTHING).lines()).isNotEmpty();
        node.namespace[FakeNvmeNode.NMIC] = 1;
        assertShared("nvme0n1 may be attached to several controllers (NMIC)");
    }

    @Test
    void reservationsAndRegistrantsAreFoundWithHostIdentifiersOfEitherLength() {
        machine.node("nvme0").namespace[FakeNvmeNode.RESCAP] = 1;
        FakeNvmeNode node = machine.node("nvme0n1");
        assertThat(machine.binder().bind(List.of(A), NOTHING).lines()).isNotEmpty();
        node.reservations[4] = 3;
        node.reservations[6] = 1;
        assertShared("nvme0n1 is reserved by a host (type 3)", "256 controllers registered");
        node.reportStatus = 0x4018;
        assertShared("nvme0n1 is reserved by a host (type 3)");
        node.extendedReportStatus = 0x4018;
        assertShared("nvme0n1 does not answer Reservation Report (status 4018h)");
    }

    @Test
    void aDriveThatDoesNotAnswerCountsAsShared() throws IOException {
        machine.node("nvme0").identifyNamespaceStatus = -Errno.EIO;
        assertShared("nvme0n1 does not answer Identify Namespace (EIO");
        machine.node("nvme0").identifyControllerStatus = 0x2002;
        assertShared("nvme0 does not answer Identify Controller (status 2002h)");
        machine.node("nvme0").refusal = -Errno.EACCES;
        assertShared("nvme0 does not answer Identify Controller (EACCES");
        machine.node("nvme0").refusal = 0;
        Files.delete(machine.sysfs.place(A).resolve("nvme/nvme0/nvme0n1/nsid"));
        assertShared("Linux does not show the namespace identifier of nvme0n1");
    }
}
