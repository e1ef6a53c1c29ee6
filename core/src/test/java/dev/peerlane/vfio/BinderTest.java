package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Memory;
import dev.peerlane.linux.Request;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.SysfsFunction;
import dev.peerlane.pci.SysfsTree;
import dev.peerlane.pci.SysfsWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two drives with the nvme driver, a bridge, and a sound card. */
class BinderTest {
    private static final Bdf BRIDGE = Bdf.parse("00:01.0");
    private static final Bdf SOUND = Bdf.parse("00:1f.3");
    private static final Bdf A = Bdf.parse("01:00.0");
    private static final Bdf B = Bdf.parse("02:00.0");
    private static final Set<Binder.Allow> NOTHING = EnumSet.noneOf(Binder.Allow.class);

    @TempDir private Path directory;
    private Path proc;
    private SysfsWriter sysfs;
    private FakeDrivers drivers;
    private FakeKernel kernel;
    private VfioOptions options;

    @BeforeEach
    void machine() throws IOException {
        Path sys = directory.resolve("sys");
        proc = directory.resolve("proc");
        sysfs = new SysfsWriter(sys);
        drivers = new FakeDrivers(sysfs);
        drivers.loaded.add("nvme");
        sysfs.function(BRIDGE, null, config(0x060400, 1)).driver(BRIDGE, "pcieport");
        sysfs.function(SOUND, null, config(0x040300, 0)).driver(SOUND, "snd_hda_intel");
        sysfs.function(A, BRIDGE, config(PciFunction.CLASS_NVME, 0));
        sysfs.function(B, null, config(PciFunction.CLASS_NVME, 0));
        for (Bdf bdf : List.of(A, B)) {
            sysfs.group(bdf, 20 + bdf.bus()).driver(bdf, "nvme");
            sysfs.text(bdf, "driver_override", "(null)\n");
            drive(bdf, "nvme" + (bdf.bus() - 1));
        }
        sysfs.group(BRIDGE, 21);
        proc("self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw");
        proc("swaps", "Filename\tType\tSize\tUsed\tPriority");
        kernel = new FakeKernel();
        options = VfioOptions.DEFAULTS.withRoots(sys, proc);
    }

    @AfterEach
    void nothingStaysOpen() {
        assertThat(kernel.leaks()).isEmpty();
        assertThat(kernel.violations).isEmpty();
    }

    private static byte[] config(int classCode, int headerType) {
        byte[] bytes = new byte[256];
        bytes[9] = (byte) classCode;
        bytes[10] = (byte) (classCode >>> 8);
        bytes[11] = (byte) (classCode >>> 16);
        bytes[14] = (byte) headerType;
        return bytes;
    }

    private void drive(Bdf bdf, String name) {
        sysfs.text(bdf, "nvme/" + name + "/model", "Peerlane Test Drive   \n");
        sysfs.text(bdf, "nvme/" + name + "/serial", "SN-" + name + "\n");
        sysfs.text(bdf, "nvme/" + name + "/firmware_rev", "1.0\n");
        sysfs.text(bdf, "nvme/" + name + "/" + name + "n1/nsid", "1\n");
        sysfs.file("class/block/" + name + "n1/dev", "259:" + bdf.bus() + "0\n");
        sysfs.file("class/block/" + name + "n1/size", "2097152\n");
        sysfs.file("class/block/" + name + "n1/" + name + "n1p2/partition", "2\n");
        sysfs.file("class/block/" + name + "n1p2/dev", "259:" + bdf.bus() + "2\n");
    }

    private void proc(String name, String... lines) throws IOException {
        Path file = proc.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, String.join("\n", lines) + "\n");
    }

    private Binder binder() {
        return new Binder(kernel, options, drivers);
    }

    private String driver(Bdf bdf) {
        return function(bdf).driver();
    }

    private SysfsFunction function(Bdf bdf) {
        return SysfsTree.read(sysfs.root()).function(bdf).orElseThrow();
    }

    private static void assertRefused(ThrowingCallable call, String code, String... words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(code);
                            assertThat(e.category()).isEqualTo(Category.REFUSED);
                            assertThat(e.getMessage()).contains(List.of(words));
                        });
    }

    @Test
    void aDriveGoesToVfioAndBack() {
        BindPlan there = binder().bind(List.of(B, A), NOTHING);
        assertThat(drivers.done).as("planning changes nothing").isEmpty();
        assertThat(there.lines())
                .containsExactly(
                        "modprobe vfio-pci",
                        "echo vfio-pci > " + path(A, "driver_override"),
                        "echo 0000:01:00.0 > " + path(A, "driver/unbind"),
                        "echo 0000:01:00.0 > " + sysfs.root().resolve("bus/pci/drivers_probe"),
                        "echo vfio-pci > " + path(B, "driver_override"),
                        "echo 0000:02:00.0 > " + path(B, "driver/unbind"),
                        "echo 0000:02:00.0 > " + sysfs.root().resolve("bus/pci/drivers_probe"));
        binder().apply(there);
        assertThat(driver(A)).isEqualTo("vfio-pci");
        assertThat(driver(B)).isEqualTo("vfio-pci");
        assertThat(binder().bind(List.of(A), NOTHING).lines()).as("there already").isEmpty();

        BindPlan back = binder().unbind(List.of(A, B));
        assertThat(back.lines()).contains("echo > " + path(A, "driver_override"));
        binder().apply(back);
        assertThat(driver(A)).isEqualTo("nvme");
        assertThat(function(A).driverOverride()).isNull();
        BindPlan again = binder().unbind(List.of(A));
        assertThat(again.lines()).isEmpty();
        assertThat(again.notes()).containsExactly("0000:01:00.0 is with nvme already");
    }

    private Path path(Bdf bdf, String name) {
        return sysfs.root().resolve("bus/pci/devices/" + bdf).resolve(name);
    }

    @Test
    void whatWasThereBeforeIsPutBack() {
        sysfs.driver(B, null).text(B, "driver_override", "pci-stub\n");
        BindPlan plan = binder().bind(List.of(A, B), NOTHING);
        binder().apply(plan);
        binder().undo(plan);
        assertThat(driver(A)).isEqualTo("nvme");
        assertThat(function(A).driverOverride()).isNull();
        assertThat(driver(B)).isNull();
        assertThat(function(B).driverOverride()).isEqualTo("pci-stub");
    }

    @Test
    void whicheverStepFailsEverythingIsAsBefore() {
        int k = 1;
        for (; k < 50; k++) {
            drivers.failAt(k);
            try {
                BindPlan plan = binder().bind(List.of(A, B), NOTHING);
                binder().apply(plan);
                break;
            } catch (PeerlaneException e) {
                assertThat(e.code()).isEqualTo("binding-failed");
                assertThat(e.explain()).contains("Invalid argument");
            }
            for (Bdf bdf : List.of(A, B)) {
                assertThat(driver(bdf)).as("step %d", k).isEqualTo("nvme");
                assertThat(function(bdf).driverOverride()).as("step %d", k).isNull();
            }
        }
        assertThat(k).as("six steps, once the module is loaded").isEqualTo(7);
        assertThat(driver(B)).isEqualTo("vfio-pci");
    }

    @Test
    void aDriverThatDoesNotTakeTheFunctionIsAnErrorAndUndone() {
        drivers.vfioRefuses = true;
        BindPlan plan = binder().bind(List.of(A), NOTHING);
        assertThatThrownBy(() -> binder().apply(plan))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("no driver now, not with vfio-pci");
        assertThat(driver(A)).isEqualTo("nvme");
    }

    @Test
    void bridgesAreNeverTakenAndOtherKindsOnlyWhenTold() {
        assertRefused(
                () -> binder().bind(List.of(BRIDGE), EnumSet.allOf(Binder.Allow.class)),
                "is-a-bridge",
                "0000:00:01.0");
        assertRefused(() -> binder().bind(List.of(SOUND), NOTHING), "not-nvme", "040300h");
        assertThat(binder().bind(List.of(SOUND), EnumSet.of(Binder.Allow.NOT_NVME)).notes())
                .containsExactly(
                        "0000:00:1f.3 is in no IOMMU group: vfio-pci will refuse it until the IOMMU"
                                + " is on");
        assertThatThrownBy(() -> binder().bind(List.of(Bdf.parse("09:00.0")), NOTHING))
                .hasMessageContaining("no PCI function 0000:09:00.0");
    }

    @Test
    void aMountedDriveIsRefused() throws IOException {
        proc("self/mountinfo", "30 22 259:12 / /data rw shared:7 - xfs /dev/nvme0n1p2 rw");
        assertRefused(
                () -> binder().bind(List.of(A), EnumSet.allOf(Binder.Allow.class)),
                "device-in-use",
                "nvme0n1p2 (on nvme0n1) is mounted on /data");
        binder().bind(List.of(B), NOTHING);
    }

    @Test
    void aMountThatOnlyInitSeesCountsToo() throws IOException {
        proc("1/mountinfo", "30 22 259:10 / /srv rw - xfs /dev/disk/by-id/x rw");
        assertRefused(
                () -> binder().bind(List.of(A), NOTHING),
                "device-in-use",
                "nvme0n1 is mounted on /srv");
    }

    @Test
    void theRunningRootOnAStackIsRefusedThroughEveryLayer() throws IOException {
        sysfs.file("class/block/nvme0n1p2/holders/md0/x", "");
        sysfs.file("class/block/md0/dev", "9:0\n").file("class/block/md0/holders/dm-1/x", "");
        sysfs.file("class/block/dm-1/dev", "253:1\n").file("class/block/dm-1/dm/name", "vg-root\n");
        proc("self/mountinfo", "22 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw");
        assertRefused(
                () -> binder().bind(List.of(A), NOTHING),
                "device-in-use",
                "nvme0n1p2 is part of md0",
                "md0 is part of dm-1, vg-root",
                "dm-1 (on nvme0n1) holds the running root");
    }

    @Test
    void swapAndBtrfsAndExclusiveHoldersAreRefused() throws IOException {
        proc("swaps", "Filename Type Size", "/dev/nvme0n1p2    partition  1048572  0  -2");
        assertRefused(
                () -> binder().bind(List.of(A), NOTHING),
                "device-in-use",
                "nvme0n1p2 (on nvme0n1) is used as swap");
        proc("swaps", "");
        sysfs.file("fs/btrfs/1234/devices/nvme1n1/x", "");
        assertRefused(
                () -> binder().bind(List.of(B), NOTHING),
                "device-in-use",
                "nvme1n1 is part of a mounted btrfs");
        FakeNodes.OtherFile held = new FakeNodes.OtherFile("held");
        held.refusal = -Errno.EBUSY;
        kernel.otherFiles.put("/dev/nvme0n1", held);
        assertRefused(
                () -> binder().bind(List.of(A), NOTHING), "device-in-use", "nvme0n1 is held by");
    }

    @Test
    void multipathNamesLeadToTheDiskThatIsSeen() throws IOException {
        Path controller = sysfs.place(B).resolve("nvme/nvme1");
        Files.delete(controller.resolve("nvme1n1/nsid"));
        Files.delete(controller.resolve("nvme1n1"));
        sysfs.text(B, "nvme/nvme1/nvme1c1n1/nsid", "1\n");
        proc("self/mountinfo", "30 22 259:20 / /data rw - xfs /dev/nvme1n1 rw");
        assertRefused(
                () -> binder().bind(List.of(B), NOTHING),
                "device-in-use",
                "nvme1n1 is mounted on /data");
    }

    @Test
    void aDriveThatAnotherHostMayUseIsRefusedUnlessTold() {
        kernel.otherFiles.put("/dev/nvme0", new Answering(76, 2, 30, 1, 31, 1));
        kernel.otherFiles.put("/dev/nvme0n1", new Answering(4, 1));
        assertRefused(
                () -> binder().bind(List.of(A), NOTHING),
                "device-shared",
                "nvme0 is one of several controllers of its subsystem (CMIC)",
                "nvme0n1 may be attached to several controllers (NMIC)",
                "nvme0n1 is reserved by a host");
        assertThat(binder().bind(List.of(A), EnumSet.of(Binder.Allow.SHARED)).lines()).isNotEmpty();
        kernel.otherFiles.put("/dev/nvme0", new Answering(76, 1, 30, 0, 31, 0));
        assertThat(binder().bind(List.of(A), NOTHING).lines()).isNotEmpty();
    }

    /** A node that answers every command with these bytes at these places. */
    private static final class Answering extends FakeNodes.OtherFile {
        private final int[] places;

        Answering(int... places) {
            super("nvme node");
            this.places = places;
        }

        @Override
        long ioctl(Request request, MemorySegment command) {
            boolean identify = command.get(JAVA_BYTE, 0) == 6;
            int expected = identify ? 0xc0484e41 : 0xc0484e43;
            if (request.number() != expected
                    || command.byteSize() != 72
                    || command.get(JAVA_INT, 36) != 4096) {
                return -Errno.EINVAL;
            }
            MemorySegment page = Memory.at(command.get(JAVA_LONG, 24), 4096, Arena.global());
            for (int i = 0; i < places.length; i += 2) {
                page.set(JAVA_BYTE, places[i], (byte) places[i + 1]);
            }
            return 0;
        }
    }

    @Test
    void whicheverQuestionToTheKernelFailsNothingStaysOpen() throws IOException {
        kernel.otherFiles.put("/dev/nvme0", new Answering(76, 0, 30, 0, 31, 1));
        kernel.otherFiles.put("/dev/nvme0n1", new Answering(4, 0));
        kernel.add(new PlainDevice(B, 22, Arena.ofAuto()));
        sysfs.driver(B, "vfio-pci");
        Set<String> failed = new java.util.TreeSet<>();
        int k = 1;
        for (; k < 100; k++) {
            kernel.failAt(k, Errno.EIO);
            try {
                binder().bind(List.of(A), NOTHING);
                binder().unbind(List.of(B));
            } catch (PeerlaneException e) {
                assertThat(e.code()).isEqualTo("close-failed");
            }
            assertThat(kernel.leaks()).as("call %d: %s", k, kernel.failedSite).isEmpty();
            if (kernel.failedSite == null) {
                break;
            }
            failed.add(kernel.failedSite);
        }
        assertThat(failed).as("sites that failed").isEqualTo(kernel.sites);
        Set<String> reached = Calls.reached(failed);
        reached.remove("VfioSystem.java close");
        assertThat(Calls.writtenIn(VfioSweepTest.ASKING::contains)).isEqualTo(reached);
    }

    @Test
    void aFunctionInTheSameGroupIsPointedOut() {
        Bdf other = Bdf.parse("01:00.1");
        sysfs.function(other, BRIDGE, config(0x020000, 0)).group(other, 21).driver(other, "e1000e");
        assertThat(binder().bind(List.of(A), NOTHING).notes())
                .singleElement()
                .asString()
                .contains("0000:01:00.1 (e1000e)");
    }

    @Test
    void aFunctionThatAProgramUsesIsNotTakenFromIt() {
        binder().apply(binder().bind(List.of(A), NOTHING));
        kernel.add(new PlainDevice(A, 21, Arena.ofAuto()));
        int held = (int) kernel.open("/dev/vfio/21", dev.peerlane.linux.Kernel.O_CLOEXEC);
        assertRefused(() -> binder().unbind(List.of(A)), "device-in-use", "IOMMU group 21");
        kernel.close(held);
        binder().apply(binder().unbind(List.of(A)));
        assertThat(driver(A)).isEqualTo("nvme");
    }

    @Test
    void theInventoryTellsWhatSysfsKnows() throws IOException {
        sysfs.text(A, "numa_node", "0\n").text(A, "nvme/nvme0/cmbsz", "16402\n");
        sysfs.text(B, "p2pmem/size", "67108864\n");
        proc("swaps", "Filename Type Size", "/dev/nvme0n1p2 partition 1048572 0 -2");
        List<Inventory.Drive> drives = Inventory.read(options, kernel);
        assertThat(drives).hasSize(2);
        Inventory.Drive a = drives.getFirst();
        assertThat(a.bdf()).isEqualTo(A);
        assertThat(a.model()).isEqualTo("Peerlane Test Drive");
        assertThat(a.serial()).isEqualTo("SN-nvme0");
        assertThat(a.firmware()).isEqualTo("1.0");
        assertThat(a.driver()).isEqualTo("nvme");
        assertThat(a.iommuGroup()).isEqualTo(21);
        assertThat(a.numaNode()).isZero();
        assertThat(a.capacityBytes()).isEqualTo(1 << 30);
        assertThat(a.namespaces()).containsExactly(new Inventory.BlockDevice("nvme0n1", 1 << 30));
        assertThat(a.cmbBytes()).as("4 units of 4 KiB").isEqualTo(OptionalLong.of(16384));
        assertThat(a.inUse()).containsExactly("nvme0n1p2 (on nvme0n1) is used as swap");
        assertThat(drives.get(1).cmbBytes()).isEqualTo(OptionalLong.of(64 << 20));
        sysfs.text(A, "nvme/nvme0/cmbsz", "0\n");
        sysfs.text(A, "nvme/nvme0/cmb", "cmbloc : x00000062\ncmbsz  : x0004021d\n");
        assertThat(Inventory.read(options, null).getFirst().cmbBytes())
                .as("64 units of 1 MiB")
                .isEqualTo(OptionalLong.of(64 << 20));
    }

    @Test
    void theRealWriterMakesNoFilesAndTellsWhatModprobeSaid() throws IOException {
        SystemWriter real = SystemWriter.real();
        Path there = Files.writeString(directory.resolve("there"), "");
        real.write(there, "0000:01:00.0\n");
        assertThat(there).hasContent("0000:01:00.0");
        Path missing = directory.resolve("missing");
        assertThatThrownBy(() -> real.write(missing, "x")).isInstanceOf(IOException.class);
        assertThat(missing).doesNotExist();
        assertThatThrownBy(() -> real.load("peerlane-no-such-module"))
                .isInstanceOf(IOException.class);
    }
}
