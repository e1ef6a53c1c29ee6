package dev.peerlane.binding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.sysfs.SysfsFunction;
import dev.peerlane.pci.sysfs.SysfsTree;
import dev.peerlane.pci.sysfs.SysfsWriter;
import dev.peerlane.vfio.FakeKernel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** A machine with two drives that are bound to nvme, a bridge, and a sound card. */
final class BindMachine {
    static final Bdf BRIDGE = Bdf.parse("00:01.0");
    static final Bdf SOUND = Bdf.parse("00:1f.3");
    static final Bdf A = Bdf.parse("01:00.0");
    static final Bdf B = Bdf.parse("02:00.0");
    static final Set<BindPlan.Allow> NOTHING = EnumSet.noneOf(BindPlan.Allow.class);
    static final Set<BindPlan.Allow> ALL = EnumSet.allOf(BindPlan.Allow.class);

    final Path directory;
    final SysfsWriter sysfs;
    final FakeDrivers drivers;
    final FakeKernel kernel = new FakeKernel();
    final SystemRoot system;

    BindMachine(Path directory) {
        this.directory = directory;
        sysfs = new SysfsWriter(directory.resolve("sys"));
        drivers = new FakeDrivers(sysfs);
        drivers.loaded.add("nvme");
        sysfs.function(BRIDGE, null, config(0x060400, 1)).driver(BRIDGE, "pcieport");
        sysfs.function(SOUND, null, config(0x040300, 0)).driver(SOUND, "snd_hda_intel");
        sysfs.text(SOUND, "driver_override", "(null)\n");
        drivers.loaded.add("snd_hda_intel");
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
        system = SystemRoot.in(directory);
        procLink("self/ns/pid", "pid:[4026531836]");
    }

    static byte[] config(int classCode, int headerType) {
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
        sysfs.text(bdf, "nvme/" + name + "/" + name + "n1/nsid", "7\n");
        sysfs.file("class/block/" + name + "n1/dev", "259:" + bdf.bus() + "0\n");
        sysfs.file("class/block/" + name + "n1/size", "2097152\n");
        sysfs.file("class/block/" + name + "n1/" + name + "n1p2/partition", "2\n");
        sysfs.file("class/block/" + name + "n1p2/dev", "259:" + bdf.bus() + "2\n");
        sysfs.file("class/block/" + name + "n1p2/partition", "2\n");
        for (String node : List.of("/dev/" + name, "/dev/" + name + "n1")) {
            kernel.otherFiles.put(node, new FakeNvmeNode(node));
        }
    }

    /** Returns a node of the nvme driver, such as nvme0 or nvme0n1. */
    FakeNvmeNode node(String name) {
        return (FakeNvmeNode) kernel.otherFiles.get("/dev/" + name);
    }

    void proc(String name, String... lines) {
        Path file = system == null ? directory.resolve("proc") : system.proc();
        file = file.resolve(name);
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, String.join("\n", lines) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Creates a dangling link in procfs, such as a descriptor's. */
    void procLink(String name, String target) {
        Path link = system.proc().resolve(name);
        try {
            Files.createDirectories(link.getParent());
            Files.createSymbolicLink(link, Path.of(target));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Binder binder() {
        return new Binder(kernel, system, drivers);
    }

    String driver(Bdf bdf) {
        return function(bdf).driver();
    }

    SysfsFunction function(Bdf bdf) {
        return SysfsTree.list(sysfs.root()).function(bdf).orElseThrow();
    }

    Path path(Bdf bdf, String name) {
        return sysfs.root().resolve("bus/pci/devices/" + bdf).resolve(name);
    }

    /** Asserts that binding the first drive is refused, whatever is allowed, with these words. */
    void assertInUse(String... words) {
        assertRefused(() -> binder().bind(List.of(A), ALL), "device-in-use", words);
        assertThat(driver(A)).isEqualTo("nvme");
    }

    static void assertRefused(ThrowingCallable call, String code, String... words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(code);
                            assertThat(e.category()).isEqualTo(Category.REFUSED);
                            assertThat(e.explain()).contains(List.of(words));
                        });
    }

    void assertNothingLeft() {
        assertThat(kernel.leaks()).isEmpty();
        assertThat(kernel.violations).isEmpty();
    }
}
