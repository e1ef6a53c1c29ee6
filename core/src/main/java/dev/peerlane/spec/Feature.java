package dev.peerlane.spec;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * Feature identifiers, and the values of those that a driver sets (NVMe Base 2.0, 5.27.1; NVM
 * Command Set 1.0, 4.1.3).
 */
public final class Feature {
    /** Arbitration. */
    public static final int ARBITRATION = 0x01;

    /** Power Management. */
    public static final int POWER_MANAGEMENT = 0x02;

    /** LBA Range Type. */
    public static final int LBA_RANGE_TYPE = 0x03;

    /** Temperature Threshold. */
    public static final int TEMPERATURE_THRESHOLD = 0x04;

    /** Error Recovery. */
    public static final int ERROR_RECOVERY = 0x05;

    /** Volatile Write Cache. */
    public static final int VOLATILE_WRITE_CACHE = 0x06;

    /** Number of Queues. */
    public static final int NUMBER_OF_QUEUES = 0x07;

    /** Interrupt Coalescing. */
    public static final int INTERRUPT_COALESCING = 0x08;

    /** Interrupt Vector Configuration. */
    public static final int INTERRUPT_VECTOR_CONFIG = 0x09;

    /** Write Atomicity Normal. */
    public static final int WRITE_ATOMICITY = 0x0A;

    /** Asynchronous Event Configuration. */
    public static final int ASYNC_EVENT_CONFIG = 0x0B;

    /** Autonomous Power State Transition. */
    public static final int AUTONOMOUS_POWER_STATE = 0x0C;

    /** Host Memory Buffer. */
    public static final int HOST_MEMORY_BUFFER = 0x0D;

    /** Timestamp. */
    public static final int TIMESTAMP = 0x0E;

    /** Keep Alive Timer. */
    public static final int KEEP_ALIVE_TIMER = 0x0F;

    /** Host Controlled Thermal Management. */
    public static final int HOST_CONTROLLED_THERMAL = 0x10;

    /** Host Behavior Support. */
    public static final int HOST_BEHAVIOR_SUPPORT = 0x16;

    /** Sanitize Config. */
    public static final int SANITIZE_CONFIG = 0x17;

    /** I/O Command Set Profile. */
    public static final int COMMAND_SET_PROFILE = 0x19;

    /** Software Progress Marker. */
    public static final int SOFTWARE_PROGRESS_MARKER = 0x80;

    /** Host Identifier. */
    public static final int HOST_IDENTIFIER = 0x81;

    /** Reservation Notification Mask. */
    public static final int RESERVATION_MASK = 0x82;

    /** Reservation Persistence. */
    public static final int RESERVATION_PERSISTENCE = 0x83;

    /** Namespace Write Protection Config. */
    public static final int WRITE_PROTECTION = 0x84;

    /** Event: the bits of SMART's Critical Warning, 7:0. */
    public static final int EVENT_SMART = 0xFF;

    /** Event: Namespace Attribute Notices. */
    public static final int EVENT_NAMESPACE_ATTRIBUTE = 1 << 8;

    /** Event: Firmware Activation Notices. */
    public static final int EVENT_FIRMWARE_ACTIVATION = 1 << 9;

    /** Event: Telemetry Log Notices. */
    public static final int EVENT_TELEMETRY = 1 << 10;

    /** Event: Asymmetric Namespace Access Change Notices. */
    public static final int EVENT_ANA_CHANGE = 1 << 11;

    private Feature() {}

    /** Returns the name of a feature. Never fails: an unknown feature gets a name that says so. */
    public static String name(int fid) {
        return switch (fid) {
            case ARBITRATION -> "Arbitration";
            case POWER_MANAGEMENT -> "Power Management";
            case LBA_RANGE_TYPE -> "LBA Range Type";
            case TEMPERATURE_THRESHOLD -> "Temperature Threshold";
            case ERROR_RECOVERY -> "Error Recovery";
            case VOLATILE_WRITE_CACHE -> "Volatile Write Cache";
            case NUMBER_OF_QUEUES -> "Number of Queues";
            case INTERRUPT_COALESCING -> "Interrupt Coalescing";
            case INTERRUPT_VECTOR_CONFIG -> "Interrupt Vector Configuration";
            case WRITE_ATOMICITY -> "Write Atomicity Normal";
            case ASYNC_EVENT_CONFIG -> "Asynchronous Event Configuration";
            case AUTONOMOUS_POWER_STATE -> "Autonomous Power State Transition";
            case HOST_MEMORY_BUFFER -> "Host Memory Buffer";
            case TIMESTAMP -> "Timestamp";
            case KEEP_ALIVE_TIMER -> "Keep Alive Timer";
            case HOST_CONTROLLED_THERMAL -> "Host Controlled Thermal Management";
            case HOST_BEHAVIOR_SUPPORT -> "Host Behavior Support";
            case SANITIZE_CONFIG -> "Sanitize Config";
            case COMMAND_SET_PROFILE -> "I/O Command Set Profile";
            case SOFTWARE_PROGRESS_MARKER -> "Software Progress Marker";
            case HOST_IDENTIFIER -> "Host Identifier";
            case RESERVATION_MASK -> "Reservation Notification Mask";
            case RESERVATION_PERSISTENCE -> "Reservation Persistence";
            case WRITE_PROTECTION -> "Namespace Write Protection Config";
            default ->
                    fid >= 0xC0
                            ? Wire.unknown("Vendor Specific Feature", fid)
                            : Wire.unknown("Unknown Feature", fid);
        };
    }

    /**
     * Composes a value of Number of Queues: CDW11 of Set Features, or dword 0 of its completion.
     *
     * @param submissionQueues I/O submission queues, 1 to 65,535
     * @param completionQueues I/O completion queues, 1 to 65,535
     */
    public static int numberOfQueues(int submissionQueues, int completionQueues) {
        return Bits.with(Bits.with(0, 15, 0, submissionQueues - 1), 31, 16, completionQueues - 1);
    }

    /**
     * Returns the number of I/O submission queues, requested (CDW11) or granted (dword 0 of the
     * completion).
     */
    public static int submissionQueues(int value) {
        return Bits.get(value, 15, 0) + 1;
    }

    /**
     * Returns the number of I/O completion queues, requested (CDW11) or granted (dword 0 of the
     * completion).
     */
    public static int completionQueues(int value) {
        return Bits.get(value, 31, 16) + 1;
    }

    /** Composes a value of Volatile Write Cache from WCE. */
    public static int volatileWriteCache(boolean enabled) {
        return flag(enabled);
    }

    /** Returns whether a value of Volatile Write Cache enables the cache. */
    public static boolean isWriteCacheEnabled(int value) {
        return Bits.bit(value, 0);
    }

    /**
     * Composes a value of Asynchronous Event Configuration.
     *
     * @param criticalWarnings bits of {@link SmartLog#criticalWarning()} to report
     * @param notices {@code EVENT_} bits above bit 7
     */
    public static int asyncEventConfig(int criticalWarnings, int notices) {
        return Bits.with(notices, 7, 0, criticalWarnings);
    }

    /** Returns the critical warnings that a value of Asynchronous Event Configuration reports. */
    public static int criticalWarnings(int value) {
        return Bits.get(value, 7, 0);
    }

    /**
     * Composes a value of Error Recovery.
     *
     * @param tler Time Limited Error Recovery, in units of 100 ms; 0 for no limit
     * @param dulbe whether a read of a deallocated or unwritten block shall fail
     */
    public static int errorRecovery(int tler, boolean dulbe) {
        return Bits.with(flag(dulbe) << 16, 15, 0, tler);
    }

    /** Returns the Time Limited Error Recovery, in units of 100 ms. */
    public static int tler(int value) {
        return Bits.get(value, 15, 0);
    }

    /** Returns whether Deallocated or Unwritten Logical Block Error Enable is set. */
    public static boolean dulbe(int value) {
        return Bits.bit(value, 16);
    }
}
