package dev.peerlane.pci;

import java.util.OptionalInt;

/**
 * The configuration space of a function: a live one behind a backend, or the bytes of a capture.
 * Offsets are multiples of the access width. Absent registers read as all ones.
 *
 * <p>Walks over capability lists are bounded, so a list with a loop ends.
 */
public abstract class ConfigSpace {
    /** Offset of the Vendor ID (16 bits). */
    public static final int VENDOR_ID = 0x00;

    /** Offset of the Device ID (16 bits). */
    public static final int DEVICE_ID = 0x02;

    /** Offset of the Command register (16 bits). */
    public static final int COMMAND = 0x04;

    /** Offset of the Status register (16 bits). */
    public static final int STATUS = 0x06;

    /** Offset of the revision (low byte) and class code (upper 24 bits). */
    public static final int CLASS_REVISION = 0x08;

    /** Offset of the header type (8 bits). */
    public static final int HEADER_TYPE = 0x0e;

    /** Offset of the first BAR. */
    public static final int BAR0 = 0x10;

    /** Offset of the cache line size (low byte) and the registers after it. */
    public static final int CACHE_LINE = 0x0c;

    /** Offset of the interrupt line (low byte) and the registers after it. */
    public static final int INTERRUPT_LINE = 0x3c;

    /** Offset of the pointer to the capability list (8 bits). */
    public static final int CAPABILITIES = 0x34;

    /** Command: memory space decoding. */
    public static final int COMMAND_MEMORY = 1 << 1;

    /** Command: bus mastering. */
    public static final int COMMAND_BUS_MASTER = 1 << 2;

    /** Command: no INTx (PCI Local Bus 3.0, 6.2.2). */
    public static final int COMMAND_INTX_DISABLE = 1 << 10;

    /** Capability ID of PCI Express. */
    public static final int CAP_PCI_EXPRESS = 0x10;

    /** Offset of Device Capabilities in the PCI Express capability (PCIe 5.0, 7.5.3). */
    public static final int EXP_DEVICE_CAPABILITIES = 0x04;

    /** Offset of Device Control in the PCI Express capability (16 bits). */
    public static final int EXP_DEVICE_CONTROL = 0x08;

    /** Offset of Device Status in the PCI Express capability (16 bits). */
    public static final int EXP_DEVICE_STATUS = 0x0a;

    /** Offset of Link Capabilities in the PCI Express capability. */
    public static final int EXP_LINK_CAPABILITIES = 0x0c;

    /** Offset of Link Status in the PCI Express capability (16 bits). */
    public static final int EXP_LINK_STATUS = 0x12;

    /** Offset of Slot Capabilities in the PCI Express capability. */
    public static final int EXP_SLOT_CAPABILITIES = 0x14;

    /** Offset of Device Control 2 in the PCI Express capability (16 bits). */
    public static final int EXP_DEVICE_CONTROL_2 = 0x28;

    /** Device Capabilities: Function Level Reset. */
    public static final int EXP_FLR_CAPABLE = 1 << 28;

    /** Device Control: Initiate Function Level Reset. */
    public static final int EXP_INITIATE_FLR = 1 << 15;

    /** Device Control: Enable Relaxed Ordering. */
    public static final int EXP_RELAXED_ORDERING = 1 << 4;

    /** Capability ID of MSI-X. */
    public static final int CAP_MSIX = 0x11;

    /** Extended capability ID of Access Control Services. */
    public static final int EXT_ACS = 0x000d;

    private static final int MAX_CAPABILITIES = 48;
    private static final int MAX_EXTENDED = 256;

    /**
     * The last offset at which a capability has room for all registers that are read here (AER).
     */
    private static final int LAST_EXTENDED = 0x1000 - 0x14;

    /** Creates a configuration space; called by subclasses. */
    protected ConfigSpace() {}

    /**
     * Returns a Command register value with bus mastering on or off. Turning it on also disables
     * INTx: nothing here handles INTx, and SPDK's target fails its controller when it raises an
     * INTx that nobody handles.
     */
    public static int withBusMaster(int command, boolean on) {
        return on
                ? command | COMMAND_BUS_MASTER | COMMAND_INTX_DISABLE
                : command & ~COMMAND_BUS_MASTER;
    }

    /** Loads 4 bytes at an offset that is a multiple of 4, 0 to ffch. */
    public abstract int load32(int offset);

    /** Stores 4 bytes at an offset that is a multiple of 4. */
    public abstract void store32(int offset, int value);

    /**
     * Stores 2 bytes at an offset that is a multiple of 2. The adjacent 2 bytes are not written,
     * because Status is write-1-to-clear.
     */
    public abstract void store16(int offset, int value);

    /** Loads 2 bytes at an offset that is a multiple of 2. */
    public final int load16(int offset) {
        return (load32(offset & ~3) >>> ((offset & 2) * 8)) & 0xffff;
    }

    /** Loads 1 byte. */
    public final int load8(int offset) {
        return (load32(offset & ~3) >>> ((offset & 3) * 8)) & 0xff;
    }

    /**
     * Returns whether the function no longer answers: class and revision read as all ones. Vendor
     * and device ID don't tell, because vfio-pci answers them from its own memory.
     */
    public final boolean isGone() {
        return load32(CLASS_REVISION) == -1;
    }

    /** Returns the 24-bit class code; 010802h for an NVMe I/O controller. */
    public final int classCode() {
        return load32(CLASS_REVISION) >>> 8;
    }

    /** Returns the offset of a capability in the first 256 bytes (PCI 3.0, 6.7). */
    public final OptionalInt capability(int id) {
        if ((load16(STATUS) & 0x10) == 0) {
            return OptionalInt.empty();
        }
        int at = load8(CAPABILITIES) & 0xfc;
        for (int i = 0; i < MAX_CAPABILITIES && at >= 0x40; i++) {
            int head = load16(at);
            if ((head & 0xff) == id) {
                return OptionalInt.of(at);
            }
            at = (head >>> 8) & 0xfc;
        }
        return OptionalInt.empty();
    }

    /** Returns the offset of an extended capability, 100h and up (PCIe 5.0, 7.6). */
    public final OptionalInt extendedCapability(int id) {
        int at = 0x100;
        for (int i = 0; i < MAX_EXTENDED && at >= 0x100 && at <= LAST_EXTENDED; i++) {
            int head = load32(at);
            if (head == 0 || head == -1) {
                return OptionalInt.empty();
            }
            if ((head & 0xffff) == id) {
                return OptionalInt.of(at);
            }
            at = (head >>> 20) & 0xffc;
        }
        return OptionalInt.empty();
    }
}
