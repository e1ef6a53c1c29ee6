package dev.peerlane.diagnose;

import dev.peerlane.pci.Cpu;
import dev.peerlane.pci.sysfs.SystemFiles;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The operating system and the machine around the devices.
 *
 * @param release the kernel's release, or null
 * @param parameters the kernel's command line
 * @param lockdown the active mode: none, integrity or confidentiality; null if not known
 * @param options the kernel's configuration, option without CONFIG_ to its value; empty if unknown
 * @param modules the relevant modules that are loaded or built in
 * @param cpu the first processor, or null
 * @param product maker and model of the machine, or null
 * @param lockedBytes the limit of locked memory in bytes; -1 for none, -2 if not known
 * @param hugePages the number of huge pages; -1 if not known
 * @param iommuBits the narrowest address width of the IOMMUs in bits; 0 if not known
 * @param iommus the names of the IOMMUs
 * @param misc those of the devices vfio and iommu that exist
 */
public record Host(
        @Nullable String release,
        String parameters,
        @Nullable String lockdown,
        Map<String, String> options,
        Set<String> modules,
        @Nullable Cpu cpu,
        @Nullable String product,
        long lockedBytes,
        long hugePages,
        int iommuBits,
        List<String> iommus,
        Set<String> misc) {
    private static final int CAP_IPC_LOCK = 14;
    private static final long UNLIMITED = -1;
    private static final long NOT_KNOWN = -2;
    private static final List<String> VIRTUAL =
            List.of("QEMU", "VMware", "innotek", "Xen", "Amazon EC2", "Google", "KVM", "Virtual");

    /** Copies the collections. */
    public Host {
        options = Map.copyOf(options);
        modules = Set.copyOf(modules);
        iommus = List.copyOf(iommus);
        misc = Set.copyOf(misc);
    }

    /** Reads the facts from the files of a system. */
    public static Host read(SystemFiles files) {
        String vendor = files.text("sys/class/dmi/id/sys_vendor");
        String product = files.text("sys/class/dmi/id/product_name");
        List<String> iommus = files.list("sys/class/iommu");
        return new Host(
                files.text("proc/sys/kernel/osrelease"),
                orEmpty(files.text("proc/cmdline")),
                bracketed(files.text("sys/kernel/security/lockdown")),
                options(Capture.kernelConfig(files)),
                new TreeSet<>(files.list("sys/module")),
                Cpu.parse(files.text("proc/cpuinfo")),
                vendor == null ? product : vendor + (product == null ? "" : " " + product),
                lockedBytes(files),
                hugePages(files),
                iommuBits(files, iommus),
                iommus,
                new TreeSet<>(files.list("sys/class/misc")));
    }

    /** Returns the value of a kernel option, {@code n} if it is off, null if it is not known. */
    public @Nullable String option(String name) {
        return options.isEmpty() ? null : options.getOrDefault(name, "n");
    }

    /** Returns whether this system is recognisably a virtual machine. */
    public boolean isVirtual() {
        String maker = product;
        return (cpu != null && cpu.hypervisor())
                || (maker != null && VIRTUAL.stream().anyMatch(maker::contains));
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }

    private static @Nullable String bracketed(@Nullable String text) {
        if (text == null) {
            return null;
        }
        int open = text.indexOf('[');
        int close = text.indexOf(']', Math.max(open, 0));
        return open < 0 || close < 0 ? null : text.substring(open + 1, close);
    }

    private static Map<String, String> options(String config) {
        Map<String, String> options = new HashMap<>();
        for (String line : config.split("\n", -1)) {
            int equals = line.indexOf('=');
            if (line.startsWith("CONFIG_") && equals > 0) {
                options.put(line.substring(7, equals), line.substring(equals + 1));
            } else if (line.startsWith("# CONFIG_") && line.endsWith(" is not set")) {
                options.put(line.substring(9, line.length() - 11), "n");
            }
        }
        return options;
    }

    private static long lockedBytes(SystemFiles files) {
        String status = orEmpty(files.text("proc/self/status"));
        for (String line : status.split("\n", -1)) {
            if (line.startsWith("CapEff:")
                    && (unsigned(line.substring(7).strip(), 16) & 1L << CAP_IPC_LOCK) != 0) {
                return UNLIMITED;
            }
        }
        String limits = orEmpty(files.text("proc/self/limits"));
        for (String line : limits.split("\n", -1)) {
            if (line.startsWith("Max locked memory")) {
                String soft = line.substring("Max locked memory".length()).strip();
                String first = soft.split("\\s+", -1)[0];
                return first.equals("unlimited") ? UNLIMITED : unsigned(first, 10);
            }
        }
        return NOT_KNOWN;
    }

    private static long hugePages(SystemFiles files) {
        long sum = -1;
        for (String size : List.of("2048kB", "1048576kB")) {
            String text = files.text("sys/kernel/mm/hugepages/hugepages-" + size + "/nr_hugepages");
            if (text != null) {
                sum = Math.max(sum, 0) + Math.max(unsigned(text, 10), 0);
            }
        }
        return sum;
    }

    /** Returns the narrowest known width of the IOMMUs in bits, or 0 if none is known. */
    private static int iommuBits(SystemFiles files, List<String> iommus) {
        return iommus.stream()
                .mapToInt(unit -> iommuBits(files, "sys/class/iommu/" + unit))
                .filter(bits -> bits > 0)
                .min()
                .orElse(0);
    }

    private static int iommuBits(SystemFiles files, String unit) {
        String intel = files.text(unit + "/intel-iommu/cap");
        if (intel != null) {
            // VT-d, Capability Register: MGAW in bits 21:16, one less than the width; SAGAW in
            // bits 12:8, whose bit n stands for page tables of 30 + 9n bits
            long cap = unsigned(intel, 16);
            int most = (int) (cap >>> 16 & 0x3f) + 1;
            int tables = (int) (cap >>> 8 & 0x1f);
            return tables == 0
                    ? most
                    : Math.min(most, 30 + 9 * (31 - Integer.numberOfLeadingZeros(tables)));
        }
        String amd = files.text(unit + "/amd-iommu/features");
        if (amd == null) {
            return 0;
        }
        // Extended Feature Register, HATS in bits 11:10: 0 for page tables of 4 levels, 3 for none.
        // A level has 9 bits, the last page 12.
        int levels = (int) (unsigned(amd.split(":", -1)[0], 16) >>> 10 & 3) + 4;
        int bits = levels > 6 ? 0 : Math.min(64, levels * 9 + 12);
        int most = ivrsBits(files);
        return most == 0 ? bits : Math.min(bits, most);
    }

    /**
     * Returns the width from AMD's ACPI table IVRS, which only root may read: IVinfo at offset 36,
     * VASize in bits 21:15.
     */
    private static int ivrsBits(SystemFiles files) {
        byte[] table = files.bytes(Capture.IVRS, Capture.IVRS_BYTES);
        return table == null || table.length < Capture.IVRS_BYTES
                ? 0
                : (((table[37] & 0xff) | ((table[38] & 0xff) << 8)) >>> 7) & 0x7f;
    }

    private static long unsigned(String text, int radix) {
        try {
            return Long.parseUnsignedLong(text.startsWith("0x") ? text.substring(2) : text, radix);
        } catch (NumberFormatException e) {
            return NOT_KNOWN;
        }
    }
}
