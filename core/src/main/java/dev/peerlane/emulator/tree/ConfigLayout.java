package dev.peerlane.emulator.tree;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciDetails;
import dev.peerlane.pci.PciFunction;
import org.jspecify.annotations.Nullable;

/**
 * The layout of configuration spaces (PCIe 5.0, 7.5): headers of type 0 and 1, the PCI Express
 * capability, and Access Control Services.
 */
final class ConfigLayout {
    /** Offset of the PCI Express capability. */
    static final int EXPRESS = 0x40;

    /** Offset of Device Control in the PCI Express capability. */
    static final int DEVICE_CONTROL = EXPRESS + ConfigSpace.EXP_DEVICE_CONTROL;

    /** Device Control: Initiate Function Level Reset. */
    static final int INITIATE_FLR = ConfigSpace.EXP_INITIATE_FLR;

    /** Offset of the MSI-X capability (7.7.2). */
    static final int MSIX = 0x80;

    /** Message Control: MSI-X Enable. */
    static final int MSIX_ENABLE = 1 << 15;

    /** Message Control: Function Mask. */
    static final int MSIX_MASK = 1 << 14;

    private static final int ACS = 0x100;
    private static final int ATS = 0x100;

    /** All services, and an Egress Control Vector of 64 bits. */
    private static final int ACS_CAPABILITY = 0x407f;

    private static final int ACS_CONTROL = 0x7f;
    private static final int ATS_ENABLE = 1 << 15;
    private static final int CAPABILITIES_LIST = 0x10;
    private static final int RELAXED_ORDERING = ConfigSpace.EXP_RELAXED_ORDERING;
    private static final int NO_SNOOP = 1 << 11;
    private static final int READ_REQUEST_512 = 2 << 12;
    private static final int CAP_PAYLOAD_256 = 1;
    private static final int CAP_ROLE_BASED_ERRORS = 1 << 15;
    private static final int CAP_FLR = ConfigSpace.EXP_FLR_CAPABLE;
    private static final int LINK_GEN4_X4 = 0x44;

    private ConfigLayout() {}

    /** Lays out a bridge, with the port number for Link Capabilities 31:24. */
    static void bridge(
            EmulatedConfig config, PciFunction.Kind kind, int number, @Nullable PortModel port) {
        int type =
                switch (kind) {
                    case ROOT_PORT -> 4;
                    case SWITCH_UPSTREAM -> 5;
                    default -> 6;
                };
        header(config, 0x100 + type, 0x060400, 1);
        express(config, type, CAP_PAYLOAD_256 | CAP_ROLE_BASED_ERRORS);
        config.allow32(0x18, 0x00ff_ffff);
        config.allow32(0x20, 0xfff0_fff0);
        config.allow32(0x24, 0xfff0_fff0);
        config.allow32(0x28, -1);
        config.allow32(0x2c, -1);
        config.init8(EXPRESS + 0xf, number);
        Integer acs = port == null ? null : port.acs();
        if (port != null && acs != null) {
            config.init32(ACS, ConfigSpace.EXT_ACS | (1 << 16));
            config.init16(ACS + 4, ACS_CAPABILITY);
            config.init16(ACS + 6, acs);
            config.allow16(ACS + 6, ACS_CONTROL);
            long vector = 0;
            for (int egress : port.egress()) {
                vector |= 1L << egress;
            }
            config.init32(ACS + 8, (int) vector);
            config.init32(ACS + 12, (int) (vector >>> 32));
            config.allow32(ACS + 8, -1);
            config.allow32(ACS + 12, -1);
        }
    }

    /** Adds Address Translation Services (10.5.1), enabled, to an endpoint. */
    static void ats(EmulatedConfig config) {
        config.init32(ATS, PciDetails.EXT_ATS | (1 << 16));
        config.init16(ATS + 6, ATS_ENABLE);
        config.allow16(ATS + 6, ATS_ENABLE);
    }

    static void endpoint(EmulatedConfig config, boolean relaxedOrdering) {
        header(config, 1, PciFunction.CLASS_NVME, 0);
        express(config, 0, CAP_PAYLOAD_256 | CAP_ROLE_BASED_ERRORS | CAP_FLR);
        resetControl(config, relaxedOrdering);
        // FLR reads as zero: the fabric clears it when it has reset the function
        config.allow16(DEVICE_CONTROL, INITIATE_FLR);
    }

    /** Adds MSI-X to an endpoint, with table and pending bits in one BAR. */
    static void msix(EmulatedConfig config, int vectors, int bar, int pendingOffset) {
        config.init8(EXPRESS + 1, MSIX);
        config.init8(MSIX, ConfigSpace.CAP_MSIX);
        config.init16(MSIX + 2, vectors - 1);
        config.allow16(MSIX + 2, MSIX_ENABLE | MSIX_MASK);
        config.init32(MSIX + 4, bar);
        config.init32(MSIX + 8, pendingOffset | bar);
    }

    /** Sets Device Control of a drive to its value after a reset. */
    static void resetControl(EmulatedConfig config, boolean relaxedOrdering) {
        int control = NO_SNOOP | READ_REQUEST_512 | (relaxedOrdering ? RELAXED_ORDERING : 0);
        config.init16(DEVICE_CONTROL, control);
    }

    static void bar(
            EmulatedConfig config, int index, long address, long sizeBytes, boolean prefetchable) {
        int at = ConfigSpace.BAR0 + 4 * index;
        int flags = prefetchable ? 0xc : 0x4;
        config.init32(at, (int) address | flags);
        config.init32(at + 4, (int) (address >>> 32));
        config.allow32(at, (int) -sizeBytes & ~0xf);
        config.allow32(at + 4, (int) (-sizeBytes >>> 32));
    }

    static void buses(EmulatedConfig config, int primary, int secondary, int subordinate) {
        config.init32(0x18, primary | (secondary << 8) | (subordinate << 16));
    }

    /** Sets a bridge's windows. A window whose end equals its base is empty. */
    static void windows(EmulatedConfig config, long low, long lowEnd, long high, long highEnd) {
        boolean noLow = low == lowEnd;
        config.init16(0x20, noLow ? 0xfff0 : (int) (low >>> 16) & 0xfff0);
        config.init16(0x22, noLow ? 0 : (int) ((lowEnd - 1) >>> 16) & 0xfff0);
        boolean noHigh = high == highEnd;
        config.init16(0x24, (noHigh ? 0xfff0 : (int) (high >>> 16) & 0xfff0) | 1);
        config.init16(0x26, (noHigh ? 0 : (int) ((highEnd - 1) >>> 16) & 0xfff0) | 1);
        config.init32(0x28, noHigh ? -1 : (int) (high >>> 32));
        config.init32(0x2c, noHigh ? 0 : (int) ((highEnd - 1) >>> 32));
    }

    private static void header(EmulatedConfig config, int device, int classCode, int type) {
        config.init16(ConfigSpace.VENDOR_ID, DriveModel.VENDOR_ID);
        config.init16(ConfigSpace.DEVICE_ID, device);
        config.init16(ConfigSpace.STATUS, CAPABILITIES_LIST);
        config.init32(ConfigSpace.CLASS_REVISION, (classCode << 8) | 1);
        config.init8(ConfigSpace.HEADER_TYPE, type);
        config.init8(ConfigSpace.CAPABILITIES, EXPRESS);
        config.allow16(ConfigSpace.COMMAND, 0x0547);
    }

    private static void express(EmulatedConfig config, int type, int capabilities) {
        config.init16(EXPRESS, ConfigSpace.CAP_PCI_EXPRESS);
        config.init16(EXPRESS + 2, 2 | (type << 4));
        config.init32(EXPRESS + 4, capabilities);
        config.allow16(DEVICE_CONTROL, 0x7fff);
        config.init32(EXPRESS + ConfigSpace.EXP_LINK_CAPABILITIES, LINK_GEN4_X4);
        config.init16(EXPRESS + ConfigSpace.EXP_LINK_STATUS, LINK_GEN4_X4);
    }
}
