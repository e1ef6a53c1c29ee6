package dev.peerlane.binding;

import dev.peerlane.linux.SystemRoot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Link;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.sysfs.SysfsFunction;
import dev.peerlane.pci.sysfs.SysfsTree;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Lists the NVMe functions of a machine as sysfs shows them, without opening any. Model, serial
 * number and namespaces are known only while the kernel's nvme driver holds the function.
 */
public final class Inventory {
    private static final int SECTOR_BYTES = 512;

    /** PMRCAP.BIR is 2 to 5 (NVMe Base 2.0, 3.1.3.22). */
    private static final int FIRST_PMR_BAR = 2;

    private static final Pattern CMBSZ = Pattern.compile("cmbsz\\s*:\\s*0?x([0-9a-fA-F]{1,8})");

    private Inventory() {}

    /**
     * One NVMe function.
     *
     * @param bdf its address
     * @param driver its driver, or null
     * @param iommuGroup its IOMMU group, or -1
     * @param numaNode its NUMA node, or -1
     * @param link its PCIe link, or null
     * @param model its model, or null if the kernel does not show it
     * @param serial its serial number, or null
     * @param firmware its firmware revision, or null
     * @param namespaces its block devices
     * @param cmbBytes the size of its CMB in bytes, if the kernel shows it; 0 for none or unknown
     * @param cmbLimitBytes an upper limit of the CMB's size in bytes, that of the BARs
     * @param pmrLimitBytes an upper limit of the PMR's size in bytes; 0 if there is no BAR for a
     *     PMR
     * @param inUse why the function can't be taken from its driver, one sentence each
     */
    public record Drive(
            Bdf bdf,
            @Nullable String driver,
            int iommuGroup,
            int numaNode,
            @Nullable Link link,
            @Nullable String model,
            @Nullable String serial,
            @Nullable String firmware,
            List<BlockDevice> namespaces,
            OptionalLong cmbBytes,
            long cmbLimitBytes,
            long pmrLimitBytes,
            List<String> inUse) {
        /** Copies the lists. */
        public Drive {
            namespaces = List.copyOf(namespaces);
            inUse = List.copyOf(inUse);
        }

        /** Returns the sum of the namespaces' sizes in bytes. */
        public long capacityBytes() {
            return namespaces.stream().mapToLong(BlockDevice::bytes).sum();
        }
    }

    /**
     * A block device of a namespace.
     *
     * @param name its name, such as {@code nvme0n1}
     * @param bytes its size in bytes
     */
    public record BlockDevice(String name, long bytes) {}

    /**
     * Reads all NVMe functions, in bus order. This opens only files of sysfs and procfs; a device
     * that is held exclusively without a trace there is found by {@link Binder} alone.
     */
    public static List<Drive> read(SystemRoot system) {
        BlockUse use = new BlockUse(system);
        List<Drive> drives = new ArrayList<>();
        for (SysfsFunction function : SysfsTree.list(system.sys()).functions()) {
            if (function.function().isNvme()) {
                drives.add(drive(function, system, use));
            }
        }
        return drives;
    }

    private static Drive drive(SysfsFunction function, SystemRoot system, BlockUse use) {
        Path controller = FunctionFolder.controller(system.sys(), function);
        List<BlockDevice> namespaces = new ArrayList<>();
        for (BlockUse.Volume volume : use.volumes(function)) {
            Path block = system.sys().resolve("class/block").resolve(volume.name());
            long bytes = number(block.resolve("size")) * SECTOR_BYTES;
            namespaces.add(new BlockDevice(volume.name(), bytes));
        }
        List<String> reasons = new ArrayList<>(use.reasons(function));
        reasons.addAll(VfioUse.users(use.programs(), system, function));
        return new Drive(
                function.bdf(),
                function.driver(),
                function.iommuGroup(),
                function.numaNode(),
                function.function().details().link(),
                text(controller, "model"),
                text(controller, "serial"),
                text(controller, "firmware_rev"),
                namespaces,
                cmb(system.sys(), function, controller),
                largestBar(function, 0),
                largestBar(function, FIRST_PMR_BAR),
                reasons);
    }

    private static long largestBar(SysfsFunction function, int first) {
        return function.function().bars().stream()
                .filter(bar -> bar.index() >= first)
                .mapToLong(PciFunction.BarWindow::sizeBytes)
                .max()
                .orElse(0);
    }

    private static OptionalLong cmb(Path sys, SysfsFunction function, @Nullable Path controller) {
        long shared = number(FunctionFolder.of(sys, function).resolve("p2pmem/size"));
        if (shared > 0) {
            return OptionalLong.of(shared);
        }
        if (controller == null) {
            return OptionalLong.empty();
        }
        long cmbsz = number(controller.resolve("cmbsz"));
        if (cmbsz <= 0) {
            String both = KernelFiles.text(controller.resolve("cmb"));
            Matcher found = CMBSZ.matcher(both == null ? "" : both);
            cmbsz = found.find() ? Long.parseLong(found.group(1), 16) : 0;
        }
        // CMBSZ (NVMe Base 2.0, 3.1.3.12): SZU 11:8, SZ 31:12
        long unit = 4096L << Math.min(4 * ((cmbsz >>> 8) & 0xf), 24);
        long bytes = ((cmbsz >>> 12) & 0xfffff) * unit;
        return bytes == 0 ? OptionalLong.empty() : OptionalLong.of(bytes);
    }

    private static @Nullable String text(@Nullable Path directory, String name) {
        return directory == null ? null : KernelFiles.text(directory.resolve(name));
    }

    private static long number(Path file) {
        String text = KernelFiles.text(file);
        try {
            return text == null ? 0 : Long.parseLong(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
