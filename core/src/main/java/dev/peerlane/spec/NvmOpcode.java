package dev.peerlane.spec;

import dev.peerlane.spec.layout.Wire;

/**
 * Opcodes of the NVM command set (NVM Command Set 1.0, 3.2; Flush and reservations: NVMe Base 2.0,
 * 7). Bits 1:0 are the direction of the data: 0 none, 1 host to controller, 2 controller to host.
 */
public final class NvmOpcode {
    /** Flush. */
    public static final int FLUSH = 0x00;

    /** Write. */
    public static final int WRITE = 0x01;

    /** Read. */
    public static final int READ = 0x02;

    /** Write Uncorrectable. */
    public static final int WRITE_UNCORRECTABLE = 0x04;

    /** Compare. */
    public static final int COMPARE = 0x05;

    /** Write Zeroes. */
    public static final int WRITE_ZEROES = 0x08;

    /** Dataset Management. */
    public static final int DATASET_MANAGEMENT = 0x09;

    /** Verify. */
    public static final int VERIFY = 0x0C;

    /** Reservation Register. */
    public static final int RESERVATION_REGISTER = 0x0D;

    /** Reservation Report. */
    public static final int RESERVATION_REPORT = 0x0E;

    /** Reservation Acquire. */
    public static final int RESERVATION_ACQUIRE = 0x11;

    /** Reservation Release. */
    public static final int RESERVATION_RELEASE = 0x15;

    /** Copy. */
    public static final int COPY = 0x19;

    private NvmOpcode() {}

    /**
     * Returns the name of an opcode of the NVM command set. Never fails: an unknown opcode gets a
     * name that says so.
     */
    public static String name(int opcode) {
        return switch (opcode) {
            case FLUSH -> "Flush";
            case WRITE -> "Write";
            case READ -> "Read";
            case WRITE_UNCORRECTABLE -> "Write Uncorrectable";
            case COMPARE -> "Compare";
            case WRITE_ZEROES -> "Write Zeroes";
            case DATASET_MANAGEMENT -> "Dataset Management";
            case VERIFY -> "Verify";
            case RESERVATION_REGISTER -> "Reservation Register";
            case RESERVATION_REPORT -> "Reservation Report";
            case RESERVATION_ACQUIRE -> "Reservation Acquire";
            case RESERVATION_RELEASE -> "Reservation Release";
            case COPY -> "Copy";
            default ->
                    opcode >= 0x80
                            ? Wire.unknown("Vendor Specific Opcode", opcode)
                            : Wire.unknown("Unknown Opcode", opcode);
        };
    }
}
