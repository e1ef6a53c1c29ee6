package dev.peerlane.spec;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * The status of a completion (NVMe Base 2.0, 3.3.3.2.1) as an int <em>without</em> the phase tag:
 * SC 7:0, SCT 10:8, CRD 12:11, M 13, DNR 14.
 *
 * <p>It is an int and not an object, because every I/O has one. The constants are {@code SCT << 8 |
 * SC}. Compare them with {@link #code}, which drops the flags. Path related codes that a host
 * creates itself (370h and above) are included.
 */
public final class Status {
    /** Status Code Type: generic. */
    public static final int SCT_GENERIC = 0;

    /** Status Code Type: specific to one command. */
    public static final int SCT_COMMAND = 1;

    /** Status Code Type: media and data integrity. */
    public static final int SCT_MEDIA = 2;

    /** Status Code Type: path related. */
    public static final int SCT_PATH = 3;

    /** Status Code Type: vendor specific. */
    public static final int SCT_VENDOR = 7;

    /** Bit More: the error log has more information. */
    public static final int MORE = 1 << 13;

    /** Bit Do Not Retry: a retry of the same command will fail. */
    public static final int DO_NOT_RETRY = 1 << 14;

    /** Successful Completion. */
    public static final int SUCCESS = 0x000;

    /** Invalid Command Opcode. */
    public static final int INVALID_OPCODE = 0x001;

    /** Invalid Field in Command. */
    public static final int INVALID_FIELD = 0x002;

    /** Command ID Conflict. */
    public static final int CID_CONFLICT = 0x003;

    /** Data Transfer Error. */
    public static final int DATA_TRANSFER_ERROR = 0x004;

    /** Commands Aborted due to Power Loss Notification. */
    public static final int POWER_LOSS = 0x005;

    /** Internal Error. */
    public static final int INTERNAL_ERROR = 0x006;

    /** Command Abort Requested. */
    public static final int ABORT_REQUESTED = 0x007;

    /** Command Aborted due to SQ Deletion. */
    public static final int SQ_DELETED = 0x008;

    /** Command Aborted due to Failed Fused Command. */
    public static final int FAILED_FUSED = 0x009;

    /** Command Aborted due to Missing Fused Command. */
    public static final int MISSING_FUSED = 0x00A;

    /** Invalid Namespace or Format. */
    public static final int INVALID_NAMESPACE = 0x00B;

    /** Command Sequence Error. */
    public static final int COMMAND_SEQUENCE_ERROR = 0x00C;

    /** Invalid SGL Segment Descriptor. */
    public static final int INVALID_SGL_SEGMENT = 0x00D;

    /** Invalid Number of SGL Descriptors. */
    public static final int INVALID_SGL_COUNT = 0x00E;

    /** Data SGL Length Invalid. */
    public static final int DATA_SGL_LENGTH_INVALID = 0x00F;

    /** Metadata SGL Length Invalid. */
    public static final int METADATA_SGL_LENGTH_INVALID = 0x010;

    /** SGL Descriptor Type Invalid. */
    public static final int SGL_TYPE_INVALID = 0x011;

    /** Invalid Use of Controller Memory Buffer. */
    public static final int INVALID_CMB_USE = 0x012;

    /** PRP Offset Invalid. */
    public static final int PRP_OFFSET_INVALID = 0x013;

    /** Atomic Write Unit Exceeded. */
    public static final int ATOMIC_WRITE_UNIT_EXCEEDED = 0x014;

    /** Operation Denied. */
    public static final int OPERATION_DENIED = 0x015;

    /** SGL Offset Invalid. */
    public static final int SGL_OFFSET_INVALID = 0x016;

    /** Host Identifier Inconsistent Format. */
    public static final int HOST_ID_INCONSISTENT = 0x018;

    /** Keep Alive Timer Expired. */
    public static final int KEEP_ALIVE_EXPIRED = 0x019;

    /** Keep Alive Timeout Invalid. */
    public static final int KEEP_ALIVE_INVALID = 0x01A;

    /** Command Aborted due to Preempt and Abort. */
    public static final int PREEMPT_ABORTED = 0x01B;

    /** Sanitize Failed. */
    public static final int SANITIZE_FAILED = 0x01C;

    /** Sanitize In Progress. */
    public static final int SANITIZE_IN_PROGRESS = 0x01D;

    /** SGL Data Block Granularity Invalid. */
    public static final int SGL_GRANULARITY_INVALID = 0x01E;

    /** Command Not Supported for Queue in CMB. */
    public static final int NOT_SUPPORTED_FOR_CMB_QUEUE = 0x01F;

    /** Namespace is Write Protected. */
    public static final int NAMESPACE_WRITE_PROTECTED = 0x020;

    /** Command Interrupted. */
    public static final int COMMAND_INTERRUPTED = 0x021;

    /** Transient Transport Error. */
    public static final int TRANSIENT_TRANSPORT_ERROR = 0x022;

    /** Command Prohibited by Command and Feature Lockdown. */
    public static final int PROHIBITED_BY_LOCKDOWN = 0x023;

    /** Admin Command Media Not Ready. */
    public static final int MEDIA_NOT_READY = 0x024;

    /** Flexible Data Placement Disabled. */
    public static final int FDP_DISABLED = 0x029;

    /** Invalid Placement Handle List. */
    public static final int INVALID_PLACEMENT_HANDLES = 0x02A;

    /** LBA Out of Range. */
    public static final int LBA_OUT_OF_RANGE = 0x080;

    /** Capacity Exceeded. */
    public static final int CAPACITY_EXCEEDED = 0x081;

    /** Namespace Not Ready. */
    public static final int NAMESPACE_NOT_READY = 0x082;

    /** Reservation Conflict. */
    public static final int RESERVATION_CONFLICT = 0x083;

    /** Format In Progress. */
    public static final int FORMAT_IN_PROGRESS = 0x084;

    /** Completion Queue Invalid. */
    public static final int COMPLETION_QUEUE_INVALID = 0x100;

    /** Invalid Queue Identifier. */
    public static final int INVALID_QUEUE_IDENTIFIER = 0x101;

    /** Invalid Queue Size. */
    public static final int INVALID_QUEUE_SIZE = 0x102;

    /** Abort Command Limit Exceeded. */
    public static final int ABORT_LIMIT_EXCEEDED = 0x103;

    /** Asynchronous Event Request Limit Exceeded. */
    public static final int ASYNC_EVENT_LIMIT_EXCEEDED = 0x105;

    /** Invalid Firmware Slot. */
    public static final int INVALID_FIRMWARE_SLOT = 0x106;

    /** Invalid Firmware Image. */
    public static final int INVALID_FIRMWARE_IMAGE = 0x107;

    /** Invalid Interrupt Vector. */
    public static final int INVALID_INTERRUPT_VECTOR = 0x108;

    /** Invalid Log Page. */
    public static final int INVALID_LOG_PAGE = 0x109;

    /** Invalid Format. */
    public static final int INVALID_FORMAT = 0x10A;

    /** Firmware Activation Requires Conventional Reset. */
    public static final int FIRMWARE_NEEDS_CONVENTIONAL_RESET = 0x10B;

    /** Invalid Queue Deletion. */
    public static final int INVALID_QUEUE_DELETION = 0x10C;

    /** Feature Identifier Not Saveable. */
    public static final int FEATURE_NOT_SAVEABLE = 0x10D;

    /** Feature Not Changeable. */
    public static final int FEATURE_NOT_CHANGEABLE = 0x10E;

    /** Feature Not Namespace Specific. */
    public static final int FEATURE_NOT_PER_NAMESPACE = 0x10F;

    /** Firmware Activation Requires NVM Subsystem Reset. */
    public static final int FIRMWARE_NEEDS_SUBSYSTEM_RESET = 0x110;

    /** Firmware Activation Requires Controller Level Reset. */
    public static final int FIRMWARE_NEEDS_CONTROLLER_RESET = 0x111;

    /** Firmware Activation Requires Maximum Time Violation. */
    public static final int FIRMWARE_NEEDS_TOO_LONG = 0x112;

    /** Firmware Activation Prohibited. */
    public static final int FIRMWARE_PROHIBITED = 0x113;

    /** Overlapping Range. */
    public static final int OVERLAPPING_RANGE = 0x114;

    /** Namespace Insufficient Capacity. */
    public static final int NAMESPACE_INSUFFICIENT_CAPACITY = 0x115;

    /** Namespace Identifier Unavailable. */
    public static final int NAMESPACE_ID_UNAVAILABLE = 0x116;

    /** Namespace Already Attached. */
    public static final int NAMESPACE_ALREADY_ATTACHED = 0x118;

    /** Namespace Is Private. */
    public static final int NAMESPACE_PRIVATE = 0x119;

    /** Namespace Not Attached. */
    public static final int NAMESPACE_NOT_ATTACHED = 0x11A;

    /** Thin Provisioning Not Supported. */
    public static final int THIN_PROVISIONING_NOT_SUPPORTED = 0x11B;

    /** Controller List Invalid. */
    public static final int CONTROLLER_LIST_INVALID = 0x11C;

    /** Device Self-test In Progress. */
    public static final int SELF_TEST_IN_PROGRESS = 0x11D;

    /** Boot Partition Write Prohibited. */
    public static final int BOOT_PARTITION_WRITE_PROHIBITED = 0x11E;

    /** Invalid Controller Identifier. */
    public static final int INVALID_CONTROLLER_ID = 0x11F;

    /** Invalid Secondary Controller State. */
    public static final int INVALID_SECONDARY_STATE = 0x120;

    /** Invalid Number of Controller Resources. */
    public static final int INVALID_RESOURCE_COUNT = 0x121;

    /** Invalid Resource Identifier. */
    public static final int INVALID_RESOURCE_ID = 0x122;

    /** Sanitize Prohibited While Persistent Memory Region is Enabled. */
    public static final int SANITIZE_PROHIBITED_BY_PMR = 0x123;

    /** ANA Group Identifier Invalid. */
    public static final int ANA_GROUP_ID_INVALID = 0x124;

    /** ANA Attach Failed. */
    public static final int ANA_ATTACH_FAILED = 0x125;

    /** Insufficient Capacity. */
    public static final int INSUFFICIENT_CAPACITY = 0x126;

    /** Namespace Attachment Limit Exceeded. */
    public static final int NAMESPACE_ATTACHMENT_LIMIT_EXCEEDED = 0x127;

    /** Prohibition of Command Execution Not Supported. */
    public static final int PROHIBITION_NOT_SUPPORTED = 0x128;

    /** I/O Command Set Not Supported. */
    public static final int COMMAND_SET_NOT_SUPPORTED = 0x129;

    /** I/O Command Set Not Enabled. */
    public static final int COMMAND_SET_NOT_ENABLED = 0x12A;

    /** I/O Command Set Combination Rejected. */
    public static final int COMMAND_SET_COMBINATION_REJECTED = 0x12B;

    /** Invalid I/O Command Set. */
    public static final int INVALID_COMMAND_SET = 0x12C;

    /** Identifier Unavailable. */
    public static final int IDENTIFIER_UNAVAILABLE = 0x12D;

    /** Stream Resource Allocation Failed. */
    public static final int STREAM_ALLOCATION_FAILED = 0x17F;

    /** Conflicting Attributes. */
    public static final int CONFLICTING_ATTRIBUTES = 0x180;

    /** Invalid Protection Information. */
    public static final int INVALID_PROTECTION_INFO = 0x181;

    /** Attempted Write to Read Only Range. */
    public static final int WRITE_TO_READ_ONLY_RANGE = 0x182;

    /** Command Size Limit Exceeded. */
    public static final int COMMAND_SIZE_LIMIT_EXCEEDED = 0x183;

    /** Incompatible Namespace or Format. */
    public static final int INCOMPATIBLE_NAMESPACE_OR_FORMAT = 0x185;

    /** Overlapping I/O Range. */
    public static final int OVERLAPPING_IO_RANGE = 0x187;

    /** Write Fault. */
    public static final int WRITE_FAULT = 0x280;

    /** Unrecovered Read Error. */
    public static final int UNRECOVERED_READ_ERROR = 0x281;

    /** End-to-end Guard Check Error. */
    public static final int GUARD_CHECK_ERROR = 0x282;

    /** End-to-end Application Tag Check Error. */
    public static final int APPLICATION_TAG_CHECK_ERROR = 0x283;

    /** End-to-end Reference Tag Check Error. */
    public static final int REFERENCE_TAG_CHECK_ERROR = 0x284;

    /** Compare Failure. */
    public static final int COMPARE_FAILURE = 0x285;

    /** Access Denied. */
    public static final int ACCESS_DENIED = 0x286;

    /** Deallocated or Unwritten Logical Block. */
    public static final int DEALLOCATED_OR_UNWRITTEN = 0x287;

    /** End-to-end Storage Tag Check Error. */
    public static final int STORAGE_TAG_CHECK_ERROR = 0x288;

    /** Internal Path Error. */
    public static final int INTERNAL_PATH_ERROR = 0x300;

    /** Asymmetric Access Persistent Loss. */
    public static final int ANA_PERSISTENT_LOSS = 0x301;

    /** Asymmetric Access Inaccessible. */
    public static final int ANA_INACCESSIBLE = 0x302;

    /** Asymmetric Access Transition. */
    public static final int ANA_TRANSITION = 0x303;

    /** Controller Pathing Error. */
    public static final int CONTROLLER_PATH_ERROR = 0x360;

    /** Host Pathing Error. */
    public static final int HOST_PATH_ERROR = 0x370;

    /** Command Aborted By Host. */
    public static final int ABORTED_BY_HOST = 0x371;

    private Status() {}

    /** Composes a status without flags. */
    public static int of(int sct, int sc) {
        return Bits.with(Bits.with(0, 7, 0, sc), 10, 8, sct);
    }

    /** Returns the Status Code. */
    public static int sc(int status) {
        return Bits.get(status, 7, 0);
    }

    /** Returns the Status Code Type. */
    public static int sct(int status) {
        return Bits.get(status, 10, 8);
    }

    /** Returns Status Code Type and Status Code together, to be compared with the constants. */
    public static int code(int status) {
        return Bits.get(status, 10, 0);
    }

    /**
     * Returns the Command Retry Delay: 0 for none, otherwise the number of the CRDT field of
     * Identify Controller to wait for.
     */
    public static int crd(int status) {
        return Bits.get(status, 12, 11);
    }

    /** Returns whether More is set: the error log has more information. */
    public static boolean more(int status) {
        return Bits.bit(status, 13);
    }

    /** Returns whether Do Not Retry is set: a retry of the same command will fail. */
    public static boolean doNotRetry(int status) {
        return Bits.bit(status, 14);
    }

    /**
     * Returns whether the command succeeded. Success means that the whole code is 0, not only SC.
     */
    public static boolean isSuccess(int status) {
        return code(status) == SUCCESS;
    }

    /**
     * Returns the specification's name of a status. Never fails: an unknown status gets a name that
     * says so.
     */
    public static String name(int status) {
        return StatusText.name(code(status));
    }

    /** Returns the status in one line: {@code Write Fault (280h, media), do not retry}. */
    public static String describe(int status) {
        StringBuilder text = new StringBuilder(name(status));
        text.append(" (").append(Wire.hex3(code(status))).append("h, ");
        text.append(StatusText.typeName(code(status))).append(')');
        if (doNotRetry(status)) {
            text.append(", do not retry");
        } else if (crd(status) != 0) {
            text.append(", retry after delay ").append(crd(status));
        }
        if (more(status)) {
            text.append(", more in the error log");
        }
        return text.toString();
    }

    /**
     * Returns what the status means for the user, and what to do, in one or two short sentences.
     */
    public static String hint(int status) {
        return StatusText.hint(code(status));
    }
}
