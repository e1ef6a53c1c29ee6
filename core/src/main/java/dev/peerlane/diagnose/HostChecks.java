package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Checks the system around the devices, and the devices' drivers and groups. */
final class HostChecks {
    private static final Set<String> HARMLESS = Set.of("vfio-pci", "pci-stub", "pcieport");
    private static final long ENOUGH_LOCKED_BYTES = 64L << 20;
    private static final String CONFIG = "kernel configuration";

    /**
     * Device IDs of Intel's non-transparent bridges: back-to-back, then primary and secondary
     * sides, from Linux's drivers/ntb.
     */
    private static final Set<Integer> INTEL_NTB =
            Set.of(
                    0x3725, 0x3c0d, 0x0e0d, 0x2f0d, 0x6f0d, 0x201c, 0x347e, 0x0db4, 0x7868, 0x3726,
                    0x3c0e, 0x0e0e, 0x2f0e, 0x6f0e, 0x3727, 0x3c0f, 0x0e0f, 0x2f0f, 0x6f0f);

    private final Snapshot snapshot;
    private final Host host;
    private final List<Finding> out = new ArrayList<>();

    private HostChecks(Snapshot snapshot, Host host) {
        this.snapshot = snapshot;
        this.host = host;
    }

    /** Returns the findings on the system; none for a fabric that is not a machine's. */
    static List<Finding> of(Snapshot snapshot) {
        Host host = snapshot.host();
        if (host == null) {
            return List.of();
        }
        HostChecks checks = new HostChecks(snapshot, host);
        checks.kernel();
        checks.limits();
        checks.surroundings();
        return checks.out;
    }

    /** Returns the findings on the devices of the copy. */
    static List<Finding> of(Snapshot snapshot, List<PciFunction> members, @Nullable Bdf owner) {
        Host host = snapshot.host();
        if (host == null) {
            return List.of();
        }
        HostChecks checks = new HostChecks(snapshot, host);
        for (PciFunction f : members) {
            checks.driver(f, members);
            checks.group(f, members);
            if (f.bdf().equals(owner)) {
                checks.width(f);
            }
        }
        return checks.out;
    }

    private void add(Check check, String subject, String read, String detail) {
        out.add(Finding.of(check, subject, read, detail));
    }

    private static String value(String option, @Nullable String value) {
        return CONFIG + ": CONFIG_" + option + "=" + value;
    }

    private boolean off(String option) {
        return "n".equals(host.option(option));
    }

    private void kernel() {
        String release =
                "Linux " + (host.release() == null ? "of unknown release" : host.release());
        if (off("VFIO_PCI") && !host.modules().contains("vfio_pci")) {
            add(Check.KERNEL_VFIO, release, value("VFIO_PCI", "n"), release + " has no VFIO");
        }
        if (off("PCI_P2PDMA")) {
            String detail = release + " does no peer-to-peer DMA of its own";
            add(Check.KERNEL_P2PDMA, release, value("PCI_P2PDMA", "n"), detail);
        }
        boolean type1 = !off("VFIO_IOMMU_TYPE1");
        if (off("IOMMUFD") && type1) {
            add(Check.KERNEL_IOMMUFD, release, value("IOMMUFD", "n"), "VFIO type1 is used");
        }
        if (!type1 && !off("VFIO_PCI") && off("VFIO_PCI_DMABUF")) {
            out.add(
                    new Finding(
                            Check.KERNEL_DMABUF,
                            Check.KERNEL_DMABUF.severity(),
                            release,
                            List.of(value("VFIO_IOMMU_TYPE1", "n"), value("VFIO_PCI_DMABUF", "n")),
                            "neither VFIO type1 nor dma-buf exports of BARs are available",
                            List.of(),
                            List.of()));
        }
        String lockdown = host.lockdown();
        if (lockdown != null && !lockdown.equals("none")) {
            add(
                    Check.LOCKDOWN,
                    release,
                    "/sys/kernel/security/lockdown = " + lockdown,
                    "the mode is " + lockdown);
        }
    }

    private void limits() {
        long locked = host.lockedBytes();
        if (locked >= 0 && locked < ENOUGH_LOCKED_BYTES) {
            String read = "/proc/self/limits: Max locked memory " + locked;
            String detail = "%d KiB may be locked".formatted(locked >> 10);
            out.add(
                    Finding.of(Check.MEMLOCK, "this process", read, detail)
                            .fixedBy("ulimit -l unlimited", "ulimit -l " + (locked >> 10)));
        }
        if (host.hugePages() == 0) {
            String file = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
            out.add(
                    Finding.of(Check.HUGEPAGES, "the system", file + " = 0", "none is reserved")
                            .fixedBy("echo 64 > " + file, "echo 0 > " + file));
        }
    }

    private void surroundings() {
        if (host.isVirtual()) {
            String flags = "/proc/cpuinfo: flags has hypervisor; ";
            boolean flag = host.cpu() != null && host.cpu().hypervisor();
            add(
                    Check.VIRTUAL,
                    "the system",
                    (flag ? flags : "")
                            + "/sys/class/dmi/id: "
                            + (host.product() == null ? "not there" : host.product()),
                    "the tree is the hypervisor's");
        }
        for (PciFunction f : snapshot.machine().functions()) {
            if (isNtb(f)) {
                String driver = f.details().driver();
                add(
                        Check.NTB,
                        "" + f.bdf(),
                        "%s: [%04x:%04x], driver %s"
                                .formatted(
                                        "/" + dev.peerlane.pci.sysfs.SysfsTree.directory(f.bdf()),
                                        f.vendorId(),
                                        f.deviceId(),
                                        driver == null ? "none" : driver),
                        f.bdf() + " joins this tree with another");
            }
        }
    }

    private static boolean isNtb(PciFunction f) {
        String driver = f.details().driver();
        if (driver != null && (driver.startsWith("ntb") || driver.equals("idt_ntb"))) {
            return true;
        }
        if (f.classCode() >>> 8 != 0x0680) {
            return false;
        }
        Set<Integer> devices =
                switch (f.vendorId()) {
                    case 0x8086 -> INTEL_NTB;
                    case 0x1022 -> Set.of(0x145b, 0x148b, 0x14c0, 0x14c3, 0x155a, 0x17d4, 0x17d7);
                    case 0x1d94 -> Set.of(0x145b);
                    case 0x10b5 -> Set.of(0x87b0, 0x87b1);
                    default -> Set.of();
                };
        // a Microchip (Microsemi) or IDT switch shows this class only for its NTB function
        return devices.contains(f.deviceId()) || f.vendorId() == 0x11f8 || f.vendorId() == 0x111d;
    }

    private static boolean isHeld(PciFunction f) {
        String driver = f.details().driver();
        return driver == null || !driver.startsWith("vfio");
    }

    private void driver(PciFunction f, List<PciFunction> members) {
        if (!isHeld(f)) {
            return;
        }
        String driver = f.details().driver();
        Finding finding =
                Finding.of(
                        Check.DRIVER,
                        "" + f.bdf(),
                        FunctionPlaces.file(f.bdf(), "driver")
                                + " -> "
                                + (driver == null ? "none" : driver),
                        "%s is with %s".formatted(f.bdf(), driver == null ? "no driver" : driver));
        out.add(bound(finding, members.stream().filter(HostChecks::isHeld).toList()));
    }

    /**
     * Adds the action that binds functions to vfio-pci after a check for users. There is none for
     * functions that are not drives, and none for a drive behind Intel VMD, whose controller would
     * have to be bound too.
     */
    private static Finding bound(Finding finding, List<PciFunction> functions) {
        boolean drives =
                functions.stream()
                        .allMatch(f -> f.isNvme() && !FunctionPlaces.isBehindVmd(f.bdf()));
        if (!drives) {
            return finding;
        }
        List<Bdf> all = functions.stream().map(PciFunction::bdf).distinct().sorted().toList();
        return finding.mendedBy(List.of(new Action.Bind(all)), List.of(new Action.Unbind(all)));
    }

    /**
     * Returns the finding that the IOMMU is off. Its fix removes the kernel parameters that turn it
     * off, and adds the one that turns Intel's on; AMD's is on by default.
     */
    private Finding noIommu(PciFunction f) {
        boolean amd = host.cpu() != null && host.cpu().vendor().contains("AMD");
        List<String> parameters = List.of(host.parameters().split("\\s+", -1));
        List<String> fix = new ArrayList<>();
        List<String> undo = new ArrayList<>();
        for (String off : List.of("iommu=off", amd ? "amd_iommu=off" : "intel_iommu=off")) {
            if (parameters.contains(off)) {
                fix.add("kernel command line: without " + off);
                undo.add("kernel command line: " + off);
            }
        }
        if (!amd && !parameters.contains("intel_iommu=on")) {
            fix.add("kernel command line: intel_iommu=on");
            undo.add("kernel command line: without intel_iommu=on");
        }
        List<String> read =
                List.of(
                        FunctionPlaces.file(f.bdf(), "iommu_group") + " is not there",
                        "/proc/cmdline: " + host.parameters());
        String detail = f.bdf() + " is in no IOMMU group";
        return new Finding(
                Check.NO_IOMMU,
                Check.NO_IOMMU.severity(),
                "" + f.bdf(),
                read,
                detail,
                Action.lines(fix),
                Action.lines(undo));
    }

    private void group(PciFunction f, List<PciFunction> members) {
        int group = f.details().iommuGroup();
        if (group < 0) {
            out.add(noIommu(f));
            return;
        }
        List<PciFunction> others =
                snapshot.machine().functions().stream()
                        .filter(o -> o.details().iommuGroup() == group && !o.isBridge())
                        .filter(o -> isInTheWay(o.details().driver()))
                        .filter(o -> members.stream().noneMatch(m -> m.bdf().equals(o.bdf())))
                        .toList();
        if (others.isEmpty()) {
            return;
        }
        String read =
                "/sys/kernel/iommu_groups/%d/devices: %s"
                        .formatted(
                                group,
                                others.stream()
                                        .map(o ->
                                                "%s; %s -> %s"
                                                        .formatted(
                                                                o.bdf(),
                                                                FunctionPlaces.file(
                                                                        o.bdf(), "driver"),
                                                                o.details().driver()))
                                        .collect(Collectors.joining("; ")));
        String detail =
                "of the same group %d: %s"
                        .formatted(
                                group,
                                others.stream()
                                        .map(o ->
                                                "%s (class %06Xh) is with %s"
                                                        .formatted(
                                                                o.bdf(),
                                                                o.classCode(),
                                                                o.details().driver()))
                                        .collect(Collectors.joining(", ")));
        List<PciFunction> all = new ArrayList<>(others);
        members.stream().filter(HostChecks::isHeld).forEach(all::add);
        out.add(bound(Finding.of(Check.GROUP_NOT_VIABLE, "" + f.bdf(), read, detail), all));
    }

    private static boolean isInTheWay(@Nullable String driver) {
        return driver != null && !HARMLESS.contains(driver);
    }

    private void width(PciFunction owner) {
        int bits = host.iommuBits();
        for (PciFunction.BarWindow bar : owner.bars()) {
            long last = bar.address() + bar.sizeBytes() - 1;
            if (bits > 0 && bits < 64 && last >>> bits != 0) {
                out.add(
                        new Finding(
                                Check.IOMMU_WIDTH,
                                Check.IOMMU_WIDTH.severity(),
                                "" + owner.bdf(),
                                List.of(
                                        "/sys/class/iommu/%s (intel-iommu/cap or amd-iommu/features): %d bits"
                                                .formatted(String.join(",", host.iommus()), bits),
                                        "%s: BAR%d at 0x%x"
                                                .formatted(
                                                        FunctionPlaces.file(
                                                                owner.bdf(), "resource"),
                                                        bar.index(),
                                                        bar.address())),
                                "BAR%d ends at 0x%x, and the IOMMU has %d bits"
                                        .formatted(bar.index(), last, bits),
                                List.of(),
                                List.of()));
            }
        }
    }
}
