package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;
import static dev.peerlane.lab.guest.Checks.same;

import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.binding.BindPlan;
import dev.peerlane.binding.Binder;
import dev.peerlane.binding.Inventory;
import dev.peerlane.binding.LinuxWriter;
import dev.peerlane.hal.Fabric;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.SystemRoot;
import dev.peerlane.nvme.Controller;
import dev.peerlane.pci.Bdf;
import dev.peerlane.vfio.VfioFabric;
import dev.peerlane.vfio.VfioOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Tests moving functions between the kernel's driver and vfio-pci, and the refusals for functions
 * in use.
 */
final class Binding {
    private static final Path PCI = Path.of("/sys/bus/pci/devices");
    private static final long LIMIT_NANOS = 60_000_000_000L;
    private static final long LOOK_NANOS = 50_000_000L;

    private Binding() {}

    private static Binder binder() {
        return new Binder(KernelCalls.instance(), SystemRoot.LOCAL, new LinuxWriter());
    }

    private static Bdf bdf(String serial) {
        return Bdf.parse(Ssds.locator(serial));
    }

    private static String override(String serial) throws IOException {
        return Files.readString(Ssds.sysfs(serial).resolve("driver_override")).strip();
    }

    /** Binds, uses the drive and unbinds; its block device returns. A plan changes nothing. */
    static String roundTrip(String serial) throws IOException {
        same("nvme", Ssds.driver(serial), "the driver at first");
        String before = override(serial);
        BindPlan plan = binder().bind(List.of(bdf(serial)), List.of());
        same("nvme", Ssds.driver(serial), "the driver after a plan");
        binder().apply(plan);
        same("vfio-pci", Ssds.driver(serial), "the driver after binding");
        same(List.of(), blockDevices(serial), "the block devices while it is bound");
        String model;
        try (Session session = Ssds.session(serial)) {
            Controller controller = session.controller(Ssds.locator(serial));
            same(serial, controller.identity().sn(), "the serial number");
            model = controller.identity().mn();
        }
        binder().apply(binder().unbind(List.of(bdf(serial))));
        same("nvme", Ssds.driver(serial), "the driver after unbinding");
        same(before, override(serial), "the override after unbinding");
        return model + ", " + awaitBlockDevice(serial) + ", steps: " + plan.lines();
    }

    /** Binds and undoes it; driver and override are as before. */
    static String undo(String serial) throws IOException {
        String before = override(serial);
        BindPlan plan = binder().bind(List.of(bdf(serial)), List.of());
        binder().apply(plan);
        same("vfio-pci", Ssds.driver(serial), "the driver after binding");
        binder().undo(plan);
        same("nvme", Ssds.driver(serial), "the driver after the undo");
        same(before, override(serial), "the override after the undo");
        return awaitBlockDevice(serial);
    }

    private static List<Path> blockDevices(String serial) throws IOException {
        Path all = Path.of("/sys/class/block");
        String function = Ssds.sysfs(serial).toRealPath().toString();
        try (Stream<Path> found = Files.list(all)) {
            return found.filter(each -> isBelow(each, function)).sorted().toList();
        }
    }

    private static boolean isBelow(Path block, String function) {
        try {
            return block.toRealPath().startsWith(function);
        } catch (IOException e) {
            return false; // it has just gone
        }
    }

    private static String awaitBlockDevice(String serial) throws IOException {
        long start = System.nanoTime();
        while (blockDevices(serial).isEmpty()) {
            check(System.nanoTime() - start < LIMIT_NANOS, "no block device appears");
            LockSupport.parkNanos(LOOK_NANOS);
        }
        return String.valueOf(blockDevices(serial).getFirst().getFileName());
    }

    /** Expects a refusal with a code and words; the driver stays. */
    static String refused(String serial, String code, String... words) throws IOException {
        String refusal = refused(bdf(serial), code, words);
        same("nvme", Ssds.driver(serial), "the driver after the refusal");
        return refusal;
    }

    private static String refused(Bdf function, String code, String... words) {
        try {
            binder().bind(List.of(function), List.of());
        } catch (PeerlaneException e) {
            same(code, e.code(), "the code of: " + e.explain());
            same(PeerlaneException.Category.REFUSED, e.category(), "the category of " + code);
            for (String word : words) {
                check(e.explain().contains(word), "no '" + word + "' in: " + e.explain());
            }
            return e.explain();
        }
        throw new AssertionError("binding was not refused");
    }

    /** Expects a refusal for a drive below device mapper. */
    static String refusedBelowDeviceMapper(String serial) throws IOException {
        String block = awaitBlockDevice(serial);
        DeviceMapper.linear("lab", "/dev/" + block, 2048);
        return refused(serial, "device-in-use", "part of dm-", "lab");
    }

    /** Expects refusals for both controllers of a shared drive while it is mounted. */
    static String refusedShared(String mountedThroughTheOther) throws IOException {
        int refusals = 0;
        StringBuilder text = new StringBuilder();
        for (String line : Files.readAllLines(Path.of("/tmp/functions"))) {
            String[] words = line.split(" ", -1);
            if (words[0].equals(mountedThroughTheOther)) {
                text.append(refused(Bdf.parse(words[1]), "device-in-use", "mounted on"));
                refusals++;
            }
        }
        same(2, refusals, "the number of controllers of " + mountedThroughTheOther);
        return text.toString();
    }

    /** Expects a refusal for an unused drive that another host might use. */
    static String refusedBecauseOthersMay(String serial) {
        Bdf function = bdf(serial);
        String refusal = refused(function, "device-shared", "CMIC", "NMIC");
        BindPlan plan = binder().bind(List.of(function), List.of(BindPlan.Allow.SHARED));
        check(!plan.lines().isEmpty(), "nothing is planned although it is allowed");
        return refusal;
    }

    /** Expects refusals for every bridge and every function that is not an NVMe controller. */
    static String refusedOthers() throws IOException {
        int bridges = 0;
        int others = 0;
        try (Stream<Path> all = Files.list(PCI)) {
            for (Path function : all.sorted().toList()) {
                String code = Files.readString(function.resolve("class")).strip();
                Bdf bdf = Bdf.parse(String.valueOf(function.getFileName()));
                if (code.startsWith("0x06") && !code.startsWith("0x0680")) {
                    refused(bdf, "is-a-bridge");
                    bridges++;
                } else if (!code.equals("0x010802")) {
                    refused(bdf, "not-nvme");
                    others++;
                }
            }
        }
        check(bridges > 0 && others > 0, bridges + " bridges, " + others + " others");
        return bridges + " bridges, " + others + " others";
    }

    /** Expects that a function stays with vfio-pci while a program uses it. */
    static String unbindWhileInUse(String serial) throws IOException {
        binder().apply(binder().bind(List.of(bdf(serial)), List.of()));
        String refusal;
        try (Fabric fabric = Ssds.fabric(serial)) {
            check(fabric.locators().size() == 1, "the fabric has " + fabric.locators());
            try {
                binder().unbind(List.of(bdf(serial)));
                throw new AssertionError("unbinding was not refused");
            } catch (PeerlaneException e) {
                same("device-in-use", e.code(), "the code of: " + e.explain());
                refusal = e.explain();
            }
        }
        binder().apply(binder().unbind(List.of(bdf(serial))));
        same("nvme", Ssds.driver(serial), "the driver in the end");
        return refusal;
    }

    /** Expects a refusal that names the other function of the group that has a driver. */
    static String groupNotViable(String serial, String other) throws IOException {
        String otherFunction = Ssds.locator(other);
        String refusal = refused(serial, "group-not-viable", otherFunction, "together");
        BindPlan together = binder().bind(List.of(bdf(serial), bdf(other)), List.of());
        binder().apply(together);
        try (Fabric fabric = Ssds.fabric(serial)) {
            check(fabric.locators().size() == 1, "the fabric has " + fabric.locators());
        }
        binder().apply(binder().unbind(List.of(bdf(other))));
        try (Fabric fabric = Ssds.fabric(serial)) {
            throw new AssertionError("it opens: " + fabric.locators());
        } catch (PeerlaneException e) {
            same("group-not-viable", e.code(), "the code of: " + e.explain());
            check(e.explain().contains(otherFunction), e.explain());
            return refusal + "; " + e.explain();
        } finally {
            binder().apply(binder().unbind(List.of(bdf(serial))));
        }
    }

    /** Expects a refusal for a mount that is visible only in another mount namespace. */
    static String refusedElsewhere(String serial) throws IOException {
        return refused(serial, "device-in-use", "in the mount namespace of process");
    }

    /** Binds a function that has an override, so that another process can restore it. */
    static String bindForAnother(String serial) throws IOException {
        Files.writeString(Ssds.sysfs(serial).resolve("driver_override"), "nvme\n");
        binder().apply(binder().bind(List.of(bdf(serial)), List.of()));
        same("vfio-pci", Ssds.driver(serial), "the driver after binding");
        return override(serial);
    }

    /** Restores what another process bound. */
    static String unbindOfAnother(String serial) throws IOException {
        check(binder().bound().contains(bdf(serial)), "it is not bound");
        binder().apply(binder().unbind(binder().bound()));
        same("nvme", Ssds.driver(serial), "the driver of before");
        same("nvme", override(serial), "the override of before");
        Files.writeString(Ssds.sysfs(serial).resolve("driver_override"), "\n");
        return awaitBlockDevice(serial);
    }

    /** Checks what is listed for every function, bound or not. */
    static String inventory(int functions) {
        List<Inventory.Drive> drives = Inventory.read(SystemRoot.LOCAL);
        same(functions, drives.size(), "the number of NVMe functions");
        for (Inventory.Drive drive : drives) {
            check(drive.iommuGroup() >= 0, drive.bdf() + " has no IOMMU group");
            if ("nvme".equals(drive.driver())) {
                check(drive.serial() != null, drive.bdf() + " has no serial number");
                check(drive.capacityBytes() > 0, drive.bdf() + " has no capacity");
            }
        }
        return drives.toString();
    }

    /** Expects that nothing can be opened without an IOMMU, with that reason. */
    static String withoutIommu(String serial) throws IOException {
        Bdf function = bdf(serial);
        BindPlan plan = binder().bind(List.of(function), List.of());
        check(plan.notes().toString().contains("IOMMU"), "no word of it in " + plan.notes());
        try {
            binder().apply(plan);
            throw new AssertionError("vfio-pci took it");
        } catch (PeerlaneException e) {
            same("binding-failed", e.code(), "the code of: " + e.explain());
            check(e.explain().contains("IOMMU"), e.explain());
            same("nvme", Ssds.driver(serial), "the driver, put back");
            return e.explain();
        }
    }

    /** Expects that opening a function that is not bound to vfio-pci names the remedy. */
    static String notBound(String serial) {
        try (Fabric fabric =
                VfioFabric.open(
                        KernelCalls.instance(), List.of(bdf(serial)), VfioOptions.DEFAULTS)) {
            throw new AssertionError("it opens: " + fabric.locators());
        } catch (PeerlaneException e) {
            same("not-bound", e.code(), "the code of: " + e.explain());
            return e.explain();
        }
    }
}
