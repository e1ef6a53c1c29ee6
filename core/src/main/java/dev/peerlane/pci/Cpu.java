package dev.peerlane.pci;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The processor that contains a root complex, according to the first entry of {@code
 * /proc/cpuinfo}.
 *
 * @param vendor such as {@code GenuineIntel}; empty if not known
 * @param family the displayed family
 * @param model the displayed model
 * @param name the processor's own name
 * @param hypervisor whether the system runs in a virtual machine
 */
public record Cpu(String vendor, int family, int model, String name, boolean hypervisor) {
    /** The value for an unknown processor. */
    public static final Cpu UNKNOWN = new Cpu("", -1, -1, "", false);

    private static final String INTEL = "GenuineIntel";
    private static final String AMD = "AuthenticAMD";
    private static final int ZEN = 0x17;
    private static final int AMD_10H = 0x10;

    /**
     * Models of family 6 in client parts that have root ports of their own, by the names of Linux's
     * intel-family.h: Sandy Bridge, Ivy Bridge, Haswell, Haswell G, Broadwell G, Skylake, Kaby Lake
     * with Coffee Lake, Comet Lake, Tiger Lake H, Alder Lake and its L, Raptor Lake and its P and
     * S, Meteor Lake and its L, Arrow Lake and its H.
     *
     * <p>Sources: the decode rules in the processors' datasheets, volume 2 (a write that matches
     * another port's range is a peer cycle, a read is answered as an unsupported request); NVIDIA's
     * engineers about Arrow Lake, on which writes arrived and reads failed, and about Intel's
     * client parts in general (open-gpu-kernel-modules, 1253). Rocket Lake (a7h) is excluded: with
     * Linux's check patched away, a copy between its ports lost all data without an error
     * (compute-runtime, 935). Parts whose ports all belong to the chipset are excluded as well.
     */
    private static final int[] INTEL_CLIENT = {
        0x2a, 0x3a, 0x3c, 0x46, 0x47, 0x5e, 0x8d, 0x97, 0x9a, 0x9e, 0xa5, 0xaa, 0xac, 0xb7, 0xba,
        0xbf, 0xc5, 0xc6
    };

    /**
     * Parses the first processor of a {@code cpuinfo} file. Returns null if the text describes
     * none.
     */
    public static @Nullable Cpu parse(@Nullable String cpuinfo) {
        if (cpuinfo == null) {
            return null;
        }
        String vendor = "";
        String name = "";
        int family = -1;
        int model = -1;
        boolean hypervisor = false;
        for (String line : cpuinfo.split("\n", -1)) {
            int colon = line.indexOf(':');
            if (colon < 0) {
                if (!vendor.isEmpty()) {
                    break;
                }
                continue;
            }
            String value = line.substring(colon + 1).strip();
            switch (line.substring(0, colon).strip()) {
                case "vendor_id" -> vendor = value;
                case "cpu family" -> family = number(value);
                case "model" -> model = number(value);
                case "model name" -> name = value;
                case "flags" -> hypervisor = (" " + value + " ").contains(" hypervisor ");
                default -> {}
            }
        }
        return vendor.isEmpty() ? null : new Cpu(vendor, family, model, name, hypervisor);
    }

    private static int number(String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /**
     * Returns whether Linux trusts the root complex of this processor with any host bridge: AMD
     * since Zen.
     */
    public boolean forwardsPeers() {
        return vendor.equals(AMD) && family >= ZEN;
    }

    /**
     * Returns whether the root complex is known to forward peer writes but not peer reads: AMD
     * before Zen. The source is AMD's hardware architect, quoted when Linux began to trust Zen.
     */
    public boolean forwardsWritesOnly() {
        return vendor.equals(AMD) && family >= AMD_10H && family < ZEN;
    }

    /**
     * Returns whether the processor's own root ports are known to forward peer writes to each
     * other, but not peer reads: Intel's client parts. Nothing is known of their chipset's ports.
     */
    public boolean forwardsWritesBetweenItsPorts() {
        return vendor.equals(INTEL)
                && family == 6
                && Arrays.stream(INTEL_CLIENT).anyMatch(m -> m == model);
    }

    /** Returns vendor, family and model, and the name if it is known. */
    @Override
    public String toString() {
        if (vendor.isEmpty()) {
            return "an unknown processor";
        }
        String numbers = "%s family %xh model %xh".formatted(vendor, family, model);
        return name.isEmpty() ? numbers : name + " (" + numbers + ")";
    }
}
