package dev.peerlane.pci;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One function of a snapshot.
 *
 * @param bdf its address
 * @param parent the bridge right above it, or null if it is on a root bus
 * @param kind what it is
 * @param vendorId PCI vendor
 * @param deviceId PCI device
 * @param classCode 24-bit class code
 * @param acs its Access Control Services, or null if it has none
 * @param relaxedOrdering whether it may set Relaxed Ordering (Device Control bit 4)
 * @param bars its memory BARs
 * @param name what a user calls it, or null
 * @param details what else is known of it
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

    /** Where in the tree a function stands. */
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
     * A memory window.
     *
     * @param index of the BAR
     * @param address first byte on the bus
     * @param sizeBytes its length
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
     * Reads one from its configuration space.
     *
     * @param bdf its address
     * @param parent the bridge right above it, or null
     * @param config all of its configuration space
     * @param bars its memory BARs
     * @param name what a user calls it, or null
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

    /** Returns it with other details. */
    public PciFunction with(PciDetails other) {
        return copy(parent, name, other);
    }

    /** Returns it with a name. */
    public PciFunction named(String other) {
        return copy(parent, other, details);
    }

    /** Returns it below another bridge. */
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

    /** Returns whether it is a bridge. */
    public boolean isBridge() {
        return kind != Kind.ENDPOINT;
    }

    /** Returns its link, if one is known. */
    public @Nullable Link link() {
        return details.link();
    }

    /** Returns whether a BAR of another function is where one of this function's is. */
    boolean overlaps(PciFunction other) {
        return !bdf.equals(other.bdf)
                && bars.stream().anyMatch(mine -> other.bars.stream().anyMatch(mine::overlaps));
    }

    /** Returns whether it is an NVMe I/O controller. */
    public boolean isNvme() {
        return classCode == CLASS_NVME;
    }

    /** Reads kind from the PCI Express capability's port type and the header type (7.5.3.2). */
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
