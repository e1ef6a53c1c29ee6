package dev.peerlane.pci;

import dev.peerlane.Bits;
import dev.peerlane.pci.sysfs.SysfsTree;
import org.jspecify.annotations.Nullable;

/**
 * What else a snapshot knows of a function. What is not known is null, or -1 for a number.
 *
 * @param configBytes how far the configuration space was readable: only root may read all; 0 if
 *     nothing of it was read, -1 if nobody tried
 * @param asleep the power state that kept it from being read, such as D3cold, or null
 * @param link its link, or null
 * @param payloadBytes Max_Payload_Size in use (Device Control 7:5)
 * @param maxPayloadBytes the largest it could take (Device Capabilities 2:0)
 * @param ats whether Address Translation Services are on; null without the capability
 * @param uncorrectable raw Uncorrectable Error Status of AER; -1 without AER or not read
 * @param correctable raw Correctable Error Status of AER; -1 without AER or not read
 * @param errorTotal errors that the kernel has counted, -1 if it does not count
 * @param dpcControl DPC Control, with the trigger enable in bits 1:0; -1 without Downstream Port
 *     Containment
 * @param dpcStatus DPC Status, with the trigger status in bit 0; -1 without it
 * @param slot physical slot number (Slot Capabilities 31:19)
 * @param port number of its port (Link Capabilities 31:24)
 * @param iommuGroup its IOMMU group
 * @param numaNode its NUMA node
 * @param driver the driver that is bound to it, or null
 */
public record PciDetails(
        int configBytes,
        @Nullable String asleep,
        @Nullable Link link,
        int payloadBytes,
        int maxPayloadBytes,
        @Nullable Boolean ats,
        int uncorrectable,
        int correctable,
        long errorTotal,
        int dpcControl,
        int dpcStatus,
        int slot,
        int port,
        int iommuGroup,
        int numaNode,
        @Nullable String driver) {
    /** The value with nothing known. */
    public static final PciDetails NONE =
            new PciDetails(-1, null, null, -1, -1, null, -1, -1, -1, -1, -1, -1, -1, -1, -1, null);

    /** Extended capability ID of Advanced Error Reporting (PCIe 5.0, 7.8.4). */
    public static final int EXT_AER = 0x0001;

    /** Extended capability ID of the Device Serial Number (7.9.3). */
    public static final int EXT_SERIAL = 0x0003;

    /** Extended capability ID of Address Translation Services (10.5.1). */
    public static final int EXT_ATS = 0x000f;

    /** Extended capability ID of Downstream Port Containment (7.9.15). */
    public static final int EXT_DPC = 0x001d;

    private static final int WHOLE = 4096;

    /**
     * Reads the details that configuration space contains, assuming that all of it was readable.
     */
    public static PciDetails of(ConfigSpace config) {
        return of(config, WHOLE);
    }

    /**
     * Reads the details that configuration space contains, if only the first {@code configBytes}
     * bytes were readable.
     */
    public static PciDetails of(ConfigSpace config, int configBytes) {
        var express = config.capability(ConfigSpace.CAP_PCI_EXPRESS);
        int payload = -1;
        int maxPayload = -1;
        int slot = -1;
        if (express.isPresent()) {
            int at = express.getAsInt();
            payload = payloadOf(config.load16(at + ConfigSpace.EXP_DEVICE_CONTROL) >>> 5);
            maxPayload = payloadOf(config.load16(at + ConfigSpace.EXP_DEVICE_CAPABILITIES));
            boolean hasSlot = (config.load16(at + 2) & 0x100) != 0;
            slot = hasSlot ? config.load32(at + ConfigSpace.EXP_SLOT_CAPABILITIES) >>> 19 : -1;
        }
        var aer = config.extendedCapability(EXT_AER);
        var dpc = config.extendedCapability(EXT_DPC);
        return new PciDetails(
                configBytes,
                null,
                Link.of(config),
                payload,
                maxPayload,
                atsOf(config),
                aer.isPresent() ? config.load32(aer.getAsInt() + 4) : -1,
                aer.isPresent() ? config.load32(aer.getAsInt() + 0x10) : -1,
                -1,
                dpc.isPresent() ? config.load16(dpc.getAsInt() + 6) : -1,
                dpc.isPresent() ? config.load16(dpc.getAsInt() + 8) : -1,
                slot,
                portNumberOf(config),
                -1,
                -1,
                null);
    }

    /**
     * Reads a function's port number (Link Capabilities 31:24; 7.5.3.6), or returns -1 if there is
     * none.
     */
    public static int portNumberOf(ConfigSpace config) {
        var express = config.capability(ConfigSpace.CAP_PCI_EXPRESS);
        return express.isEmpty()
                ? -1
                : config.load32(express.getAsInt() + ConfigSpace.EXP_LINK_CAPABILITIES) >>> 24;
    }

    /** Reads whether Address Translation Services are on. Returns null without the capability. */
    public static @Nullable Boolean atsOf(ConfigSpace config) {
        var ats = config.extendedCapability(EXT_ATS);
        return ats.isPresent() ? (config.load16(ats.getAsInt() + 6) & 0x8000) != 0 : null;
    }

    private static int payloadOf(int encoded) {
        int exponent = encoded & 7;
        return exponent <= 5 ? 128 << exponent : -1;
    }

    /** Returns a copy with the details that only the operating system knows. */
    public PciDetails in(
            @Nullable Link otherLink,
            long countedErrors,
            int group,
            int node,
            @Nullable String boundDriver) {
        return new PciDetails(
                configBytes,
                asleep,
                link == null ? otherLink : link,
                payloadBytes,
                maxPayloadBytes,
                ats,
                uncorrectable,
                correctable,
                countedErrors,
                dpcControl,
                dpcStatus,
                slot,
                port,
                group,
                node,
                boundDriver);
    }

    /** Returns a copy for a function that was not read because it is in this power state. */
    public PciDetails asleep(String state) {
        return new PciDetails(
                configBytes,
                state,
                link,
                payloadBytes,
                maxPayloadBytes,
                ats,
                uncorrectable,
                correctable,
                errorTotal,
                dpcControl,
                dpcStatus,
                slot,
                port,
                iommuGroup,
                numaNode,
                driver);
    }

    /** Returns whether registers that show blocked packets could not be read. */
    public boolean isCut() {
        return configBytes >= 0 && configBytes <= SysfsTree.PUBLIC_BYTES && asleep == null;
    }

    /** Returns whether an error takes the link below the port down. */
    public boolean containsErrors() {
        return dpcControl >= 0 && Bits.get(dpcControl, 1, 0) != 0;
    }

    /** Returns whether the port holds the link below it down. */
    public boolean isContained() {
        return dpcStatus >= 0 && Bits.bit(dpcStatus, 0);
    }

    /** Returns whether AER has recorded an error, in its status or in the kernel's counters. */
    public boolean hasErrors() {
        return uncorrectable > 0 || correctable > 0 || errorTotal > 0;
    }
}
