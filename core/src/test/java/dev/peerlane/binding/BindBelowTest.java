package dev.peerlane.binding;

import static dev.peerlane.binding.BindMachine.A;
import static dev.peerlane.binding.BindMachine.ALL;
import static dev.peerlane.binding.BindMachine.B;
import static dev.peerlane.binding.BindMachine.BRIDGE;
import static dev.peerlane.binding.BindMachine.NOTHING;
import static dev.peerlane.binding.BindMachine.SOUND;
import static dev.peerlane.binding.BindMachine.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that functions with others below them, or that the machine needs, are refused. */
class BindBelowTest {
    private static final Bdf VMD = Bdf.parse("00:0e.0");
    private static final Bdf VMD_PORT = Bdf.parse("10000:e0:06.0");
    private static final Bdf VMD_DRIVE = Bdf.parse("10000:e1:00.0");

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

    /**
     * Adds an Intel VMD controller as Linux shows it, with the drives' own domain below the
     * controller's directory.
     */
    private void vmd() {
        machine.sysfs.function(VMD, null, BindMachine.config(0x010400, 0)).driver(VMD, "vmd");
        machine.sysfs.group(VMD, 9);
        Path bus = machine.sysfs.place(VMD).resolve("pci10000:e0");
        machine.sysfs.functionIn(bus, VMD_PORT, BindMachine.config(0x060400, 1));
        machine.sysfs.function(VMD_DRIVE, VMD_PORT, BindMachine.config(PciFunction.CLASS_NVME, 0));
        machine.sysfs.group(VMD_DRIVE, 9).driver(VMD_DRIVE, "nvme");
        machine.sysfs.text(VMD_DRIVE, "nvme/nvme5/model", "Root Drive\n");
        Path block = machine.sysfs.place(VMD_DRIVE).resolve("nvme/nvme5/nvme5n1");
        machine.sysfs.text(VMD_DRIVE, "nvme/nvme5/nvme5n1/nsid", "1\n");
        machine.sysfs.text(VMD_DRIVE, "nvme/nvme5/nvme5n1/dev", "259:50\n");
        machine.sysfs.linkTo("class/block/nvme5n1", block);
    }

    @Test
    void aControllerWithADomainBelowItIsRefusedAndTheRootFileSystemBelowItIsNamed() {
        vmd();
        machine.proc("self/mountinfo", "22 1 259:50 / / rw - ext4 /dev/nvme5n1 rw");
        assertRefused(
                () -> machine.binder().bind(List.of(VMD), ALL),
                "functions-below",
                "0000:00:0e.0 has 2 PCI functions below it",
                "10000:e1:00.0 (nvme)",
                "nvme5n1 holds the running root",
                "Leave it bound to its driver (vmd)");
    }

    @Test
    void aControllerWithUnusedDrivesBelowItIsRefusedToo() {
        vmd();
        assertRefused(() -> machine.binder().bind(List.of(VMD), ALL), "functions-below", "VMD");
    }

    @Test
    void theRemedyForADriveInAControllersGroupIsNotToBindTheController() {
        vmd();
        assertRefused(
                () -> machine.binder().bind(List.of(VMD_DRIVE), ALL),
                "group-not-viable",
                "0000:00:0e.0 (vmd)",
                "a slot with a group of its own");
    }

    @Test
    void everyKindOfBridgeIsRefused() {
        for (int classCode : new int[] {0x060000, 0x060100, 0x060400, 0x060700}) {
            Bdf bdf = Bdf.parse("00:1e." + (classCode >>> 8 & 7));
            machine.sysfs.function(bdf, null, BindMachine.config(classCode, 0));
            assertRefused(
                    () -> machine.binder().bind(List.of(bdf), ALL), "is-a-bridge", "is a bridge");
        }
    }

    @Test
    void aNetworkCardThatIsUpIsRefusedAndOneThatIsDownIsNot() {
        machine.sysfs.text(SOUND, "net/eth0/flags", "0x1003\n");
        machine.sysfs.text(SOUND, "net/eth1/flags", "0x1002\n");
        assertRefused(
                () -> machine.binder().bind(List.of(SOUND), ALL),
                "device-in-use",
                "its network interface eth0 is up");
        machine.sysfs.text(SOUND, "net/eth0/flags", "0x1002\n");
        assertThat(machine.binder().bind(List.of(SOUND), ALL).lines()).isNotEmpty();
        machine.sysfs.text(SOUND, "virtio2/net/ens3/flags", "0x1003\n");
        assertRefused(
                () -> machine.binder().bind(List.of(SOUND), ALL),
                "device-in-use",
                "its network interface ens3 is up");
        machine.sysfs.text(SOUND, "net/eth1/flags", "?\n");
        assertRefused(
                () -> machine.binder().bind(List.of(SOUND), ALL),
                "device-in-use",
                "it is unknown whether its network interface eth1 is up");
    }

    @Test
    void aNetworkCardWhoseInterfacesAreInAnotherNamespaceCountsAsUsed() {
        Bdf card = Bdf.parse("00:1d.0");
        machine.sysfs.function(card, null, BindMachine.config(0x020000, 0));
        assertThat(machine.binder().bind(List.of(card), ALL).lines()).isNotEmpty();
        machine.sysfs.driver(card, "e1000e");
        assertRefused(
                () -> machine.binder().bind(List.of(card), ALL),
                "device-in-use",
                "it may be in another network namespace");
    }

    @Test
    void theDisplayOfTheConsoleIsRefused() {
        machine.sysfs.text(SOUND, "boot_vga", "0\n");
        assertThat(machine.binder().bind(List.of(SOUND), ALL).lines()).isNotEmpty();
        machine.sysfs.text(SOUND, "boot_vga", "1\n");
        assertRefused(
                () -> machine.binder().bind(List.of(SOUND), ALL),
                "device-in-use",
                "it is the display of the console");
    }

    @Test
    void aControllerWithAScreenOrAUsbDeviceIsInUse() {
        machine.sysfs.text(SOUND, "drm/card0/card0-DP-1/enabled", "enabled\n");
        machine.sysfs.text(SOUND, "usb3/3-4/product", "Keyboard\n");
        assertRefused(
                () -> machine.binder().bind(List.of(SOUND), ALL),
                "device-in-use",
                "a screen is on at card0-DP-1",
                "the USB device 3-4 (Keyboard) is attached to it");
    }

    @Test
    void aControllerWithVirtualFunctionsIsRefused() {
        machine.sysfs.text(A, "sriov_numvfs", "0\n");
        assertThat(machine.binder().bind(List.of(A), NOTHING).lines()).isNotEmpty();
        machine.sysfs.text(A, "sriov_numvfs", "4\n");
        machine.assertInUse("it has 4 virtual functions (sriov_numvfs)");
    }

    @Test
    void withoutAListOfMountsNoDriveCountsAsUnmounted() throws java.io.IOException {
        java.nio.file.Files.delete(machine.system.proc().resolve("self/mountinfo"));
        machine.assertInUse("the mounts are unknown", "self/mountinfo");
    }

    @Test
    void anUnreadableListOfSwapIsNotAnEmptyOne() throws java.io.IOException {
        Path swaps = machine.system.proc().resolve("swaps");
        java.nio.file.Files.delete(swaps);
        assertThat(machine.binder().bind(List.of(A), NOTHING).lines())
                .as("a kernel without swap has no such file")
                .isNotEmpty();
        java.nio.file.Files.createDirectory(swaps);
        machine.assertInUse("the swap devices are unknown");
    }

    @Test
    void aDriveOfTheNvmeDriverWithoutAVisibleControllerCountsAsShared() throws java.io.IOException {
        Path nvme = machine.sysfs.place(B).resolve("nvme");
        java.nio.file.Files.move(nvme, nvme.resolveSibling("gone"));
        assertRefused(
                () -> machine.binder().bind(List.of(B), NOTHING),
                "device-shared",
                "Linux shows no controller of it");
        assertThat(machine.sysfs.place(BRIDGE)).exists();
    }
}
