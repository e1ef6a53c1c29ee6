package dev.peerlane.binding;

import static dev.peerlane.binding.BindMachine.A;
import static dev.peerlane.binding.BindMachine.B;
import static dev.peerlane.binding.BindMachine.BRIDGE;
import static dev.peerlane.binding.BindMachine.NOTHING;
import static dev.peerlane.binding.BindMachine.SOUND;
import static dev.peerlane.binding.BindMachine.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.SysfsFunction;
import dev.peerlane.pci.sysfs.SysfsWriter;
import dev.peerlane.vfio.FakeKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests moving functions to vfio-pci and back, and the inventory. */
class BinderTest {
    @TempDir private Path directory;
    private BindMachine machine;
    private SysfsWriter sysfs;
    private FakeDrivers drivers;
    private FakeKernel kernel;

    @BeforeEach
    void machine() {
        machine = new BindMachine(directory);
        sysfs = machine.sysfs;
        drivers = machine.drivers;
        kernel = machine.kernel;
    }

    @AfterEach
    void nothingStaysOpen() {
        machine.assertNothingLeft();
    }

    private Binder binder() {
        return machine.binder();
    }

    private String driver(Bdf bdf) {
        return machine.driver(bdf);
    }

    private SysfsFunction function(Bdf bdf) {
        return machine.function(bdf);
    }

    private Path path(Bdf bdf, String name) {
        return machine.path(bdf, name);
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
        assertThat(again.notes()).containsExactly("0000:01:00.0 is bound to nvme already");
    }

    @Test
    void formerDriverAndOverrideAreRestored() {
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
    void everythingIsAsBeforeWhicheverStepFails() {
        int k = 1;
        for (; k < 50; k++) {
            drivers.failAt(k);
            try {
                BindPlan plan = binder().bind(List.of(A, B), NOTHING);
                binder().apply(plan);
                break;
            } catch (PeerlaneException e) {
                assertThat(e.code()).isEqualTo("binding-failed");
                assertThat(e.explain())
                        .contains("Invalid argument")
                        .contains(k == 1 ? "modinfo vfio-pci" : "the kernel's log");
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
    void bothStayWithVfioWhicheverStepOfTheReturnFails() {
        binder().apply(binder().bind(List.of(A, B), NOTHING));
        int k = 1;
        for (; k < 50; k++) {
            drivers.failAt(k);
            BindPlan back = binder().unbind(List.of(A, B));
            try {
                binder().apply(back);
                break;
            } catch (PeerlaneException e) {
                assertThat(e.code()).isEqualTo("binding-failed");
            }
            for (Bdf bdf : List.of(A, B)) {
                assertThat(driver(bdf)).as("step %d", k).isEqualTo("vfio-pci");
                assertThat(function(bdf).driverOverride()).as("step %d", k).isEqualTo("vfio-pci");
            }
            assertThat(binder().bound()).as("step %d", k).containsExactly(A, B);
        }
        assertThat(k).as("six steps").isEqualTo(7);
        assertThat(driver(B)).isEqualTo("nvme");
    }

    @Test
    void aDriverThatDoesNotBindTheFunctionIsAnErrorAndUndone() {
        drivers.vfioRefuses = true;
        BindPlan plan = binder().bind(List.of(A), NOTHING);
        assertThatThrownBy(() -> binder().apply(plan))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("is now bound to no driver, not to vfio-pci");
        assertThat(driver(A)).isEqualTo("nvme");
    }

    @Test
    void bridgesAreNeverBoundAndOtherKindsOnlyIfAllowed() {
        assertRefused(
                () -> binder().bind(List.of(BRIDGE), EnumSet.allOf(BindPlan.Allow.class)),
                "is-a-bridge",
                "0000:00:01.0");
        assertRefused(() -> binder().bind(List.of(SOUND), NOTHING), "not-nvme", "040300h");
        assertThat(binder().bind(List.of(SOUND), EnumSet.of(BindPlan.Allow.NOT_NVME)).notes())
                .containsExactly(
                        "0000:00:1f.3 is in no IOMMU group: vfio-pci will refuse it until the IOMMU"
                                + " is on");
        assertThatThrownBy(() -> binder().bind(List.of(Bdf.parse("09:00.0")), NOTHING))
                .hasMessageContaining("no PCI function 0000:09:00.0");
    }

    @Test
    void thePlanNotesThatAnUnusedDriveMayLosePowerUnlessThatIsDisabled() {
        sysfs.text(A, "d3cold_allowed", "1\n");
        assertThat(binder().bind(List.of(A, B), NOTHING).notes())
                .singleElement()
                .asString()
                .contains("0000:01:00.0 may go to D3cold", "disable_idle_d3=1");
        sysfs.file("module/vfio_pci/parameters/disable_idle_d3", "Y\n");
        assertThat(binder().bind(List.of(A, B), NOTHING).notes()).isEmpty();
    }

    @Test
    void aFunctionThatAProgramUsesIsRefused() {
        binder().apply(binder().bind(List.of(A), NOTHING));
        kernel.add(A, 21);
        int held = (int) kernel.open("/dev/vfio/21", dev.peerlane.linux.Kernel.O_CLOEXEC);
        assertRefused(() -> binder().unbind(List.of(A)), "device-in-use", "/dev/vfio/21");
        kernel.close(held);
        binder().apply(binder().unbind(List.of(A)));
        assertThat(driver(A)).isEqualTo("nvme");
    }

    @Test
    void theInventoryShowsWhatSysfsKnows() {
        sysfs.text(A, "numa_node", "0\n").text(A, "nvme/nvme0/cmbsz", "16402\n");
        sysfs.text(B, "p2pmem/size", "67108864\n");
        machine.proc("swaps", "Filename Type Size", "/dev/nvme0n1p2 partition 1048572 0 -2");
        List<Inventory.Drive> drives = Inventory.read(machine.system);
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
        assertThat(a.pmrLimitBytes()).as("it has no BAR").isZero();
        sysfs.text(
                B,
                "resource",
                SysfsWriter.resource(0xc000_0000L, 16384)
                        + "\n0x0 0x0 0x0\n"
                        + SysfsWriter.resource(0xd000_0000L, 64 << 20)
                        + "\n");
        Inventory.Drive b = Inventory.read(machine.system).get(1);
        assertThat(b.cmbLimitBytes()).isEqualTo(64 << 20);
        assertThat(b.pmrLimitBytes()).isEqualTo(64 << 20);
        sysfs.text(B, "resource", SysfsWriter.resource(0xc000_0000L, 16384) + "\n");
        b = Inventory.read(machine.system).get(1);
        assertThat(b.cmbLimitBytes()).as("a CMB may be in BAR 0").isEqualTo(16384);
        assertThat(b.pmrLimitBytes()).as("a PMR may not").isZero();
        assertThat(drives.get(1).cmbBytes()).isEqualTo(OptionalLong.of(64 << 20));
        sysfs.text(A, "nvme/nvme0/cmbsz", "0\n");
        sysfs.text(A, "nvme/nvme0/cmb", "cmbloc : x00000062\ncmbsz  : x0004021d\n");
        assertThat(Inventory.read(machine.system).getFirst().cmbBytes())
                .as("64 units of 1 MiB")
                .isEqualTo(OptionalLong.of(64 << 20));
    }

    @Test
    void theRealWriterCreatesNoFilesAndReportsTheMessageOfModprobe() throws IOException {
        SystemWriter real = new LinuxWriter();
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
