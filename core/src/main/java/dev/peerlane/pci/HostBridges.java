package dev.peerlane.pci;

import dev.peerlane.pci.RootComplex.Trust;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The root complexes through which Linux allows peer traffic, from {@code drivers/pci/p2pdma.c} of
 * Linux 7.2: any AMD processor from family 17h on, and a list of devices that represent a host
 * bridge. Older kernels know fewer of them.
 *
 * <p>The device that represents a host bridge is the first on its root bus, if that is device 0
 * function 0 or a root port.
 */
final class HostBridges {
    private static final int INTEL = 0x8086;
    private static final int GOOGLE = 0x1ae0;
    private static final int ANY = -1;

    /**
     * An entry of the list.
     *
     * @param vendorId PCI vendor ID
     * @param deviceId PCI device ID, or -1 for all
     * @param sameHostBridgeOnly whether traffic is trusted only if both ends are below this host
     *     bridge
     * @param name the product that it is part of
     */
    record Entry(int vendorId, int deviceId, boolean sameHostBridgeOnly, String name) {
        boolean matches(PciFunction f) {
            return f.vendorId() == vendorId && (deviceId == ANY || f.deviceId() == deviceId);
        }
    }

    /** All entries. */
    static final List<Entry> ALLOWED =
            List.of(
                    new Entry(INTEL, 0x3c00, true, "Xeon E5, Core i7 (Sandy Bridge)"),
                    new Entry(INTEL, 0x3c01, true, "Xeon E5, Core i7 (Sandy Bridge)"),
                    new Entry(INTEL, 0x2f00, true, "Xeon E7 v3, E5 v3 (Haswell)"),
                    new Entry(INTEL, 0x2f01, true, "Xeon E7 v3, E5 v3 (Haswell)"),
                    new Entry(INTEL, 0x2030, false, "Skylake-E root port A"),
                    new Entry(INTEL, 0x2031, false, "Skylake-E root port B"),
                    new Entry(INTEL, 0x2032, false, "Skylake-E root port C"),
                    new Entry(INTEL, 0x2033, false, "Skylake-E root port D"),
                    new Entry(INTEL, 0x2020, false, "Skylake-E"),
                    new Entry(INTEL, 0x09a2, false, "Xeon of the third generation and later"),
                    new Entry(INTEL, 0x0b25, false, "Sapphire Rapids, bus of the DSA"),
                    new Entry(INTEL, 0x0cfe, false, "Sapphire Rapids, bus of the IAA"),
                    new Entry(INTEL, 0x11fb, false, "Granite Rapids-D, bus of the DSA"),
                    new Entry(INTEL, 0x1212, false, "Diamond Rapids, bus of the DSA"),
                    new Entry(INTEL, 0x1216, false, "Diamond Rapids, bus of the IAA"),
                    new Entry(INTEL, 0x4940, false, "bus of QuickAssist 4xxx"),
                    new Entry(INTEL, 0x4942, false, "bus of QuickAssist 401xx"),
                    new Entry(INTEL, 0x4944, false, "bus of QuickAssist 402xx"),
                    new Entry(INTEL, 0x4946, false, "bus of QuickAssist 420xx"),
                    new Entry(INTEL, 0x4948, false, "bus of QuickAssist 6xxx"),
                    new Entry(GOOGLE, ANY, false, "Google SoC"));

    private HostBridges() {}

    /** Returns whether the first function on a root bus represents the host bridge. */
    static boolean mayStand(PciFunction first) {
        return (first.bdf().device() == 0 && first.bdf().function() == 0)
                || first.kind() == PciFunction.Kind.ROOT_PORT;
    }

    /** Returns the entry of a host bridge, if it is listed. */
    static Optional<Entry> entry(PciFunction hostBridge) {
        return ALLOWED.stream().filter(e -> e.matches(hostBridge)).findFirst();
    }

    /**
     * Returns whether a root port belongs to the processor itself, in Intel's client parts. The
     * processor's are devices 1 and 6 of bus 0; the chipset's are 1bh to 1dh.
     */
    static boolean isOfProcessor(@Nullable PciFunction rootPort) {
        return rootPort != null
                && rootPort.kind() == PciFunction.Kind.ROOT_PORT
                && rootPort.bdf().segment() == 0
                && rootPort.bdf().bus() == 0
                && (rootPort.bdf().device() == 1 || rootPort.bdf().device() == 6);
    }

    /**
     * Returns what is known of peer traffic from below one host bridge to below another.
     *
     * @param processorPorts whether both ends are below root ports of the processor itself
     */
    static RootComplex judge(
            Cpu cpu, @Nullable PciFunction from, @Nullable PciFunction to, boolean processorPorts) {
        if (cpu.forwardsPeers()) {
            return new RootComplex(
                    Trust.TRUSTED,
                    Trust.TRUSTED,
                    cpu + " forwards peer traffic: Linux trusts AMD from family 17h on");
        }
        boolean same = from != null && to != null && from.bdf().equals(to.bdf());
        if (allowed(from, same) && allowed(to, same)) {
            String which = same ? name(from) : name(from) + " and " + name(to);
            return new RootComplex(
                    Trust.TRUSTED, Trust.TRUSTED, which + " is on Linux's list of host bridges");
        }
        if (cpu.forwardsWritesOnly() || (processorPorts && cpu.forwardsWritesBetweenItsPorts())) {
            return new RootComplex(
                    Trust.TRUSTED,
                    Trust.REFUSED,
                    cpu + " forwards peer writes only, and Linux does not trust it");
        }
        String which =
                same || to == null
                        ? name(from)
                        : from == null ? name(to) : name(from) + " and " + name(to);
        boolean together = !same && listed(from) && listed(to);
        return new RootComplex(
                Trust.UNKNOWN,
                Trust.UNKNOWN,
                together
                        ? which + " are on Linux's list only for both ends below one of them"
                        : which + " is not on Linux's list of host bridges, nor is " + cpu);
    }

    private static boolean listed(@Nullable PciFunction bridge) {
        return bridge != null && entry(bridge).isPresent();
    }

    private static boolean allowed(@Nullable PciFunction bridge, boolean same) {
        return bridge != null
                && entry(bridge).filter(e -> same || !e.sameHostBridgeOnly()).isPresent();
    }

    private static String name(@Nullable PciFunction bridge) {
        return bridge == null
                ? "a host bridge that no device represents"
                : "%s [%04x:%04x]".formatted(bridge.bdf(), bridge.vendorId(), bridge.deviceId());
    }
}
