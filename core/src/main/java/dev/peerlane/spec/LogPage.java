package dev.peerlane.spec;

import dev.peerlane.spec.layout.Wire;
import dev.peerlane.spec.wire.NamespaceList;

/** Log page identifiers (NVMe Base 2.0, 5.16.1). */
public final class LogPage {
    /** Supported Log Pages. */
    public static final int SUPPORTED = 0x00;

    /** Error Information, entries of {@link ErrorLogEntry}. */
    public static final int ERROR = 0x01;

    /** SMART / Health Information, {@link SmartLog}. */
    public static final int SMART = 0x02;

    /** Firmware Slot Information. */
    public static final int FIRMWARE_SLOT = 0x03;

    /** Changed Namespace List, in the form of {@link NamespaceList}. */
    public static final int CHANGED_NAMESPACES = 0x04;

    /** Commands Supported and Effects. */
    public static final int COMMAND_EFFECTS = 0x05;

    /** Device Self-test. */
    public static final int SELF_TEST = 0x06;

    /** Telemetry Host-Initiated. */
    public static final int TELEMETRY_HOST = 0x07;

    /** Telemetry Controller-Initiated. */
    public static final int TELEMETRY_CONTROLLER = 0x08;

    /** Endurance Group Information. */
    public static final int ENDURANCE_GROUP = 0x09;

    /** Asymmetric Namespace Access. */
    public static final int ANA = 0x0C;

    /** Persistent Event. */
    public static final int PERSISTENT_EVENT = 0x0D;

    /** LBA Status Information. */
    public static final int LBA_STATUS = 0x0E;

    /** Reservation Notification. */
    public static final int RESERVATION = 0x80;

    /** Sanitize Status. */
    public static final int SANITIZE_STATUS = 0x81;

    private LogPage() {}

    /**
     * Returns the name of a log page. Never fails: an unknown log page gets a name that says so.
     */
    public static String name(int lid) {
        return switch (lid) {
            case SUPPORTED -> "Supported Log Pages";
            case ERROR -> "Error Information";
            case SMART -> "SMART / Health Information";
            case FIRMWARE_SLOT -> "Firmware Slot Information";
            case CHANGED_NAMESPACES -> "Changed Namespace List";
            case COMMAND_EFFECTS -> "Commands Supported and Effects";
            case SELF_TEST -> "Device Self-test";
            case TELEMETRY_HOST -> "Telemetry Host-Initiated";
            case TELEMETRY_CONTROLLER -> "Telemetry Controller-Initiated";
            case ENDURANCE_GROUP -> "Endurance Group Information";
            case ANA -> "Asymmetric Namespace Access";
            case PERSISTENT_EVENT -> "Persistent Event";
            case LBA_STATUS -> "LBA Status Information";
            case RESERVATION -> "Reservation Notification";
            case SANITIZE_STATUS -> "Sanitize Status";
            default ->
                    lid >= 0xC0
                            ? Wire.unknown("Vendor Specific Log Page", lid)
                            : Wire.unknown("Unknown Log Page", lid);
        };
    }
}
