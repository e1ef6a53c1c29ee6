package dev.peerlane.pci;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One function of a snapshot.
 *
 * @param bdf address of the function
 * @param parent the bridge directly above the function, or null on a root bus
 * @param kind the function's place in the tree
 * @param vendorId PCI vendor ID
 * @param deviceId PCI device ID
 * @param classCode 24-bit class code
 * @param acs Access Control Services, or null if the function has none
 * @param relaxedOrdering whether the function may set Relaxed Ordering (Device Control bit 4)
 * @param bars memory BARs
 * @param name the user's name for the function, or null
 * @param details further details
 */
public record PciFunction(
        Bdf bdf,
        @Nullable Bdf parent,
        Kind kind,
        int vendorId,
        int deviceId,
        int classCode,
        @Nullable Acs acs,
        boolean relaxedOrdering,
        List<BarWindow> bars,
        @Nullable String name,
        PciDetails details) {

    /** Class code of an NVMe I/O controller (PCI Code and ID Assignment, 1.9). */
    public static final int CLASS_NVME = 0x010802;

    /** The place of a function in the tree. */
    public enum Kind {
        /** A port of the root complex. */
        ROOT_PORT,
        /** The port of a switch that faces the root. */
        SWITCH_UPSTREAM,
        /** A port of a switch that faces devices. */
        SWITCH_DOWNSTREAM,
        /** Any other bridge. */
        OTHER_BRIDGE,
        /** A device. */
        ENDPOINT
    }

    /**
     * The bus addresses of a memory BAR.
     *
     * @param index index of the BAR
     * @param address bus address of the first byte
     * @param sizeBytes length in bytes
     */
    public record BarWindow(int index, long address, long sizeBytes) {
        /** Returns whether an address is in both windows. */
        public boolean overlaps(BarWindow other) {
            return Long.compareUnsigned(address, other.address + other.sizeBytes) < 0
                    && Long.compareUnsigned(other.address, address + sizeBytes) < 0;
        }
    }

    /** Copies the list. */
    public PciFunction {
        bars = List.copyOf(bars);
    }

    /** Creates a function of which no details are known. */
    public PciFunction(
            Bdf bdf,
            @Nullable Bdf parent,
            Kind kind,
            int vendorId,
            int deviceId,
            int classCode,
            @Nullable Acs acs,
            boolean relaxedOrdering,
            List<BarWindow> bars,
            @Nullable String name) {
        this(
                bdf,
                parent,
                kind,
                vendorId,
                deviceId,
                classCode,
                acs,
                relaxedOrdering,
                bars,
                name,
                PciDetails.NONE);
    }

    /**
     * Reads a function from its configuration space.
     *
     * @param bdf address of the function
     * @param parent the bridge directly above the function, or null
     * @param config the whole configuration space
     * @param bars memory BARs
     * @param name the user's name for the function, or null
     */
    public static PciFunction read(
            Bdf bdf,
            @Nullable Bdf parent,
            ConfigSpace config,
            List<BarWindow> bars,
            @Nullable String name) {
        return new PciFunction(
                bdf,
                parent,
                kindOf(config),
                config.load16(ConfigSpace.VENDOR_ID),
                config.load16(ConfigSpace.DEVICE_ID),
                config.classCode(),
                Acs.of(config),
                relaxedOrderingOf(config),
                bars,
                name,
                PciDetails.of(config));
    }

    /** Returns a copy with other details. */
    public PciFunction with(PciDetails other) {
        return copy(parent, name, other);
    }

    /** Returns a copy with a name. */
    public PciFunction named(String other) {
        return copy(parent, other, details);
    }

    /** Returns a copy below another bridge. */
    public PciFunction below(Bdf bridge) {
        return copy(bridge, name, details);
    }

    private PciFunction copy(
            @Nullable Bdf otherParent, @Nullable String otherName, PciDetails otherDetails) {
        return new PciFunction(
                bdf,
                otherParent,
                kind,
                vendorId,
                deviceId,
                classCode,
                acs,
                relaxedOrdering,
                bars,
                otherName,
                otherDetails);
    }

    /** Returns whether the function is a bridge. */
    public boolean isBridge() {
        return kind != Kind.ENDPOINT;
    }

    /** Returns the link, or null if it is not known. */
    public @Nullable Link link() {
        return details.link();
    }

    /** Returns whether a BAR of another function is where one of this function's is. */
    boolean overlaps(PciFunction other) {
        return !bdf.equals(other.bdf)
                && bars.stream().anyMatch(mine -> other.bars.stream().anyMatch(mine::overlaps));
    }

    /** Returns whether the function is an NVMe I/O controller. */
    public boolean isNvme() {
        return classCode == CLASS_NVME;
    }

    /**
     * Derives the kind from the port type in the PCI Express capability and from the header type
     * (7.5.3.2).
     */
    public static Kind kindOf(ConfigSpace config) {
        boolean bridge = (config.load8(ConfigSpace.HEADER_TYPE) & 0x7f) == 1;
        var express = config.capability(ConfigSpace.CAP_PCI_EXPRESS);
        if (express.isEmpty()) {
            return bridge ? Kind.OTHER_BRIDGE : Kind.ENDPOINT;
        }
        int type = (config.load16(express.getAsInt() + 2) >>> 4) & 0xf;
        return switch (type) {
            case 4 -> Kind.ROOT_PORT;
            case 5 -> Kind.SWITCH_UPSTREAM;
            case 6 -> Kind.SWITCH_DOWNSTREAM;
            default -> bridge ? Kind.OTHER_BRIDGE : Kind.ENDPOINT;
        };
    }

    /** Reads whether Relaxed Ordering is enabled: Device Control bit 4 (PCIe 5.0, 7.5.3.4). */
    public static boolean relaxedOrderingOf(ConfigSpace config) {
        var express = config.capability(ConfigSpace.CAP_PCI_EXPRESS);
        return express.isPresent() && (config.load16(express.getAsInt() + 8) & 0x10) != 0;
    }
}
