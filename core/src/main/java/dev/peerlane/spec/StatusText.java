package dev.peerlane.spec;

/** Names and hints of status codes; apart from {@link Status} to keep the numbers readable. */
final class StatusText {
    private static final int VENDOR_SC = 0xC0;
    private static final int COMMAND_SET_SC = 0x80;

    private static final String VENDOR_HINT =
            "Only the maker of the drive knows what this means: look into its documentation.";

    private StatusText() {}

    static String typeName(int sct) {
        return switch (sct) {
            case Status.SCT_GENERIC -> "generic";
            case Status.SCT_COMMAND -> "command specific";
            case Status.SCT_MEDIA -> "media";
            case Status.SCT_PATH -> "path";
            case Status.SCT_VENDOR -> "vendor specific";
            default -> "reserved type";
        };
    }

    static String name(int code) {
        return switch (code) {
            case Status.SUCCESS -> "Successful Completion";
            case Status.INVALID_OPCODE -> "Invalid Command Opcode";
            case Status.INVALID_FIELD -> "Invalid Field in Command";
            case Status.CID_CONFLICT -> "Command ID Conflict";
            case Status.DATA_TRANSFER_ERROR -> "Data Transfer Error";
            case Status.POWER_LOSS -> "Commands Aborted due to Power Loss Notification";
            case Status.INTERNAL_ERROR -> "Internal Error";
            case Status.ABORT_REQUESTED -> "Command Abort Requested";
            case Status.SQ_DELETED -> "Command Aborted due to SQ Deletion";
            case Status.FAILED_FUSED -> "Command Aborted due to Failed Fused Command";
            case Status.MISSING_FUSED -> "Command Aborted due to Missing Fused Command";
            case Status.INVALID_NAMESPACE -> "Invalid Namespace or Format";
            case Status.COMMAND_SEQUENCE_ERROR -> "Command Sequence Error";
            case Status.INVALID_SGL_SEGMENT -> "Invalid SGL Segment Descriptor";
            case Status.INVALID_SGL_COUNT -> "Invalid Number of SGL Descriptors";
            case Status.DATA_SGL_LENGTH_INVALID -> "Data SGL Length Invalid";
            case Status.METADATA_SGL_LENGTH_INVALID -> "Metadata SGL Length Invalid";
            case Status.SGL_TYPE_INVALID -> "SGL Descriptor Type Invalid";
            case Status.INVALID_CMB_USE -> "Invalid Use of Controller Memory Buffer";
            case Status.PRP_OFFSET_INVALID -> "PRP Offset Invalid";
            case Status.ATOMIC_WRITE_UNIT_EXCEEDED -> "Atomic Write Unit Exceeded";
            case Status.OPERATION_DENIED -> "Operation Denied";
            case Status.SGL_OFFSET_INVALID -> "SGL Offset Invalid";
            case Status.HOST_ID_INCONSISTENT -> "Host Identifier Inconsistent Format";
            case Status.KEEP_ALIVE_EXPIRED -> "Keep Alive Timer Expired";
            case Status.KEEP_ALIVE_INVALID -> "Keep Alive Timeout Invalid";
            case Status.PREEMPT_ABORTED -> "Command Aborted due to Preempt and Abort";
            case Status.SANITIZE_FAILED -> "Sanitize Failed";
            case Status.SANITIZE_IN_PROGRESS -> "Sanitize In Progress";
            case Status.SGL_GRANULARITY_INVALID -> "SGL Data Block Granularity Invalid";
            case Status.NOT_SUPPORTED_FOR_CMB_QUEUE -> "Command Not Supported for Queue in CMB";
            case Status.NAMESPACE_WRITE_PROTECTED -> "Namespace is Write Protected";
            case Status.COMMAND_INTERRUPTED -> "Command Interrupted";
            case Status.TRANSIENT_TRANSPORT_ERROR -> "Transient Transport Error";
            case Status.PROHIBITED_BY_LOCKDOWN ->
                    "Command Prohibited by Command and Feature Lockdown";
            case Status.MEDIA_NOT_READY -> "Admin Command Media Not Ready";
            case Status.FDP_DISABLED -> "Flexible Data Placement Disabled";
            case Status.INVALID_PLACEMENT_HANDLES -> "Invalid Placement Handle List";
            case Status.LBA_OUT_OF_RANGE -> "LBA Out of Range";
            case Status.CAPACITY_EXCEEDED -> "Capacity Exceeded";
            case Status.NAMESPACE_NOT_READY -> "Namespace Not Ready";
            case Status.RESERVATION_CONFLICT -> "Reservation Conflict";
            case Status.FORMAT_IN_PROGRESS -> "Format In Progress";
            case Status.COMPLETION_QUEUE_INVALID -> "Completion Queue Invalid";
            case Status.INVALID_QUEUE_IDENTIFIER -> "Invalid Queue Identifier";
            case Status.INVALID_QUEUE_SIZE -> "Invalid Queue Size";
            case Status.ABORT_LIMIT_EXCEEDED -> "Abort Command Limit Exceeded";
            case Status.ASYNC_EVENT_LIMIT_EXCEEDED -> "Asynchronous Event Request Limit Exceeded";
            case Status.INVALID_FIRMWARE_SLOT -> "Invalid Firmware Slot";
            case Status.INVALID_FIRMWARE_IMAGE -> "Invalid Firmware Image";
            case Status.INVALID_INTERRUPT_VECTOR -> "Invalid Interrupt Vector";
            case Status.INVALID_LOG_PAGE -> "Invalid Log Page";
            case Status.INVALID_FORMAT -> "Invalid Format";
            case Status.FIRMWARE_NEEDS_CONVENTIONAL_RESET ->
                    "Firmware Activation Requires Conventional Reset";
            case Status.INVALID_QUEUE_DELETION -> "Invalid Queue Deletion";
            case Status.FEATURE_NOT_SAVEABLE -> "Feature Identifier Not Saveable";
            case Status.FEATURE_NOT_CHANGEABLE -> "Feature Not Changeable";
            case Status.FEATURE_NOT_PER_NAMESPACE -> "Feature Not Namespace Specific";
            case Status.FIRMWARE_NEEDS_SUBSYSTEM_RESET ->
                    "Firmware Activation Requires NVM Subsystem Reset";
            case Status.FIRMWARE_NEEDS_CONTROLLER_RESET ->
                    "Firmware Activation Requires Controller Level Reset";
            case Status.FIRMWARE_NEEDS_TOO_LONG ->
                    "Firmware Activation Requires Maximum Time Violation";
            case Status.FIRMWARE_PROHIBITED -> "Firmware Activation Prohibited";
            case Status.OVERLAPPING_RANGE -> "Overlapping Range";
            case Status.NAMESPACE_INSUFFICIENT_CAPACITY -> "Namespace Insufficient Capacity";
            case Status.NAMESPACE_ID_UNAVAILABLE -> "Namespace Identifier Unavailable";
            case Status.NAMESPACE_ALREADY_ATTACHED -> "Namespace Already Attached";
            case Status.NAMESPACE_PRIVATE -> "Namespace Is Private";
            case Status.NAMESPACE_NOT_ATTACHED -> "Namespace Not Attached";
            case Status.THIN_PROVISIONING_NOT_SUPPORTED -> "Thin Provisioning Not Supported";
            case Status.CONTROLLER_LIST_INVALID -> "Controller List Invalid";
            case Status.SELF_TEST_IN_PROGRESS -> "Device Self-test In Progress";
            case Status.BOOT_PARTITION_WRITE_PROHIBITED -> "Boot Partition Write Prohibited";
            case Status.INVALID_CONTROLLER_ID -> "Invalid Controller Identifier";
            case Status.INVALID_SECONDARY_STATE -> "Invalid Secondary Controller State";
            case Status.INVALID_RESOURCE_COUNT -> "Invalid Number of Controller Resources";
            case Status.INVALID_RESOURCE_ID -> "Invalid Resource Identifier";
            case Status.SANITIZE_PROHIBITED_BY_PMR ->
                    "Sanitize Prohibited While Persistent Memory Region is Enabled";
            case Status.ANA_GROUP_ID_INVALID -> "ANA Group Identifier Invalid";
            case Status.ANA_ATTACH_FAILED -> "ANA Attach Failed";
            case Status.INSUFFICIENT_CAPACITY -> "Insufficient Capacity";
            case Status.NAMESPACE_ATTACHMENT_LIMIT_EXCEEDED ->
                    "Namespace Attachment Limit Exceeded";
            case Status.PROHIBITION_NOT_SUPPORTED ->
                    "Prohibition of Command Execution Not Supported";
            case Status.COMMAND_SET_NOT_SUPPORTED -> "I/O Command Set Not Supported";
            case Status.COMMAND_SET_NOT_ENABLED -> "I/O Command Set Not Enabled";
            case Status.COMMAND_SET_COMBINATION_REJECTED -> "I/O Command Set Combination Rejected";
            case Status.INVALID_COMMAND_SET -> "Invalid I/O Command Set";
            case Status.IDENTIFIER_UNAVAILABLE -> "Identifier Unavailable";
            case Status.STREAM_ALLOCATION_FAILED -> "Stream Resource Allocation Failed";
            case Status.CONFLICTING_ATTRIBUTES -> "Conflicting Attributes";
            case Status.INVALID_PROTECTION_INFO -> "Invalid Protection Information";
            case Status.WRITE_TO_READ_ONLY_RANGE -> "Attempted Write to Read Only Range";
            case Status.COMMAND_SIZE_LIMIT_EXCEEDED -> "Command Size Limit Exceeded";
            case Status.INCOMPATIBLE_NAMESPACE_OR_FORMAT -> "Incompatible Namespace or Format";
            case Status.OVERLAPPING_IO_RANGE -> "Overlapping I/O Range";
            case Status.WRITE_FAULT -> "Write Fault";
            case Status.UNRECOVERED_READ_ERROR -> "Unrecovered Read Error";
            case Status.GUARD_CHECK_ERROR -> "End-to-end Guard Check Error";
            case Status.APPLICATION_TAG_CHECK_ERROR -> "End-to-end Application Tag Check Error";
            case Status.REFERENCE_TAG_CHECK_ERROR -> "End-to-end Reference Tag Check Error";
            case Status.COMPARE_FAILURE -> "Compare Failure";
            case Status.ACCESS_DENIED -> "Access Denied";
            case Status.DEALLOCATED_OR_UNWRITTEN -> "Deallocated or Unwritten Logical Block";
            case Status.STORAGE_TAG_CHECK_ERROR -> "End-to-end Storage Tag Check Error";
            case Status.INTERNAL_PATH_ERROR -> "Internal Path Error";
            case Status.ANA_PERSISTENT_LOSS -> "Asymmetric Access Persistent Loss";
            case Status.ANA_INACCESSIBLE -> "Asymmetric Access Inaccessible";
            case Status.ANA_TRANSITION -> "Asymmetric Access Transition";
            case Status.CONTROLLER_PATH_ERROR -> "Controller Pathing Error";
            case Status.HOST_PATH_ERROR -> "Host Pathing Error";
            case Status.ABORTED_BY_HOST -> "Command Aborted By Host";
            default -> nameOfUnknown(code);
        };
    }

    private static String nameOfUnknown(int code) {
        int sct = Status.sct(code);
        int sc = Status.sc(code);
        if (sct == Status.SCT_VENDOR || sc >= VENDOR_SC) {
            return "Vendor Specific Status";
        }
        if (sct == Status.SCT_COMMAND && sc >= COMMAND_SET_SC) {
            return "Unknown Status of an I/O Command Set";
        }
        return "Unknown Status";
    }

    static String hint(int code) {
        return switch (code) {
            case Status.SUCCESS -> "The command did what it was asked to.";
            case Status.INVALID_OPCODE ->
                    "The controller does not have this command: look at ONCS, OACS or the "
                            + "Commands Supported and Effects log before using it.";
            case Status.INVALID_FIELD ->
                    "A field of the command is wrong or not supported: the error log "
                            + "entry names its byte and bit.";
            case Status.CID_CONFLICT ->
                    "The command identifier is in use already: a command that timed out "
                            + "may still be outstanding. Reset the controller.";
            case Status.DATA_TRANSFER_ERROR ->
                    "The controller could not move the data: look at the bus address, the "
                            + "IOMMU mapping and the route to the memory.";
            case Status.POWER_LOSS ->
                    "Power is going away. Bring the controller up again, then repeat.";
            case Status.INTERNAL_ERROR ->
                    "The controller failed inside: read the error log, and repeat if "
                            + "retry is allowed.";
            case Status.ABORT_REQUESTED ->
                    "An Abort ended this command. Its data may have been moved in part.";
            case Status.SQ_DELETED ->
                    "The submission queue was deleted under the command. Repeat on "
                            + "another queue.";
            case Status.FAILED_FUSED ->
                    "The other half of the fused pair failed: its status tells why.";
            case Status.MISSING_FUSED ->
                    "The other half of the fused pair was not next to this one in the " + "queue.";
            case Status.INVALID_NAMESPACE ->
                    "The namespace does not exist, is not attached, or its format cannot "
                            + "do this: list the active namespaces.";
            case Status.COMMAND_SEQUENCE_ERROR -> "A command that has to come before is missing.";
            case Status.INVALID_CMB_USE ->
                    "The CMB does not support this use: look at RDS, WDS and LISTS of "
                            + "CMBSZ and at CDMMMS, CDPMLS and CDPCILS of CMBLOC, and that every "
                            + "page lies in [CBA, CBA + size).";
            case Status.PRP_OFFSET_INVALID ->
                    "A PRP other than the first has an offset in its page, or the first "
                            + "is not dword aligned.";
            case Status.ATOMIC_WRITE_UNIT_EXCEEDED -> "Split the write to AWUN or NAWUN.";
            case Status.OPERATION_DENIED ->
                    "The host may not do this: look at access control and security "
                            + "settings of the drive.";
            case Status.HOST_ID_INCONSISTENT ->
                    "Hosts of this NVM subsystem use identifiers of different lengths.";
            case Status.KEEP_ALIVE_EXPIRED -> "The host was silent too long: connect again.";
            case Status.PREEMPT_ABORTED ->
                    "Another host took the reservation away: stop, and find out who.";
            case Status.SANITIZE_FAILED ->
                    "The last sanitize operation failed: the drive refuses I/O until "
                            + "another one succeeds.";
            case Status.SANITIZE_IN_PROGRESS ->
                    "The drive is being sanitized: wait for its end. Its data is going.";
            case Status.NOT_SUPPORTED_FOR_CMB_QUEUE ->
                    "This command cannot be in a queue that is in the CMB: put the queue "
                            + "into host memory.";
            case Status.NAMESPACE_WRITE_PROTECTED ->
                    "Clear the write protection of the namespace (feature 84h), or choose "
                            + "another target.";
            case Status.COMMAND_INTERRUPTED -> "The controller had something more urgent: repeat.";
            case Status.TRANSIENT_TRANSPORT_ERROR -> "The transport failed for a moment: repeat.";
            case Status.PROHIBITED_BY_LOCKDOWN ->
                    "A lockdown forbids this command: lift it by the interface that set " + "it.";
            case Status.MEDIA_NOT_READY ->
                    "The controller is ready, its media is not: wait as long as "
                            + "CRTO.CRWMT allows.";
            case Status.LBA_OUT_OF_RANGE ->
                    "The range goes past the end of the namespace (NSZE): shorten it.";
            case Status.CAPACITY_EXCEEDED ->
                    "The thinly provisioned namespace is full: free or add capacity.";
            case Status.NAMESPACE_NOT_READY ->
                    "The namespace cannot be used now: wait and repeat if retry is " + "allowed.";
            case Status.RESERVATION_CONFLICT ->
                    "Another host holds a reservation: the namespace is in use elsewhere. "
                            + "Do not force it.";
            case Status.FORMAT_IN_PROGRESS ->
                    "The namespace is being formatted: wait. Its data is going.";
            case Status.COMPLETION_QUEUE_INVALID ->
                    "The completion queue of the new submission queue does not exist: "
                            + "create it first.";
            case Status.INVALID_QUEUE_IDENTIFIER ->
                    "The queue exists already, does not exist, or exceeds what Number of "
                            + "Queues granted.";
            case Status.INVALID_QUEUE_SIZE ->
                    "The queue has fewer than 2 entries or more than CAP.MQES allows.";
            case Status.ABORT_LIMIT_EXCEEDED ->
                    "More Abort commands are outstanding than ACL allows: wait for one.";
            case Status.ASYNC_EVENT_LIMIT_EXCEEDED ->
                    "More event requests are outstanding than AERL allows: post fewer.";
            case Status.INVALID_INTERRUPT_VECTOR ->
                    "The vector is beyond what MSI or MSI-X has enabled; a polled queue "
                            + "is created with interrupts off.";
            case Status.INVALID_LOG_PAGE -> "The controller does not have this log page.";
            case Status.INVALID_FORMAT -> "The LBA format is not one the namespace has.";
            case Status.INVALID_QUEUE_DELETION ->
                    "Submission queues still use this completion queue: delete them " + "first.";
            case Status.FEATURE_NOT_SAVEABLE -> "Set the feature without Save.";
            case Status.FEATURE_NOT_PER_NAMESPACE -> "Set the feature with NSID 0.";
            case Status.NAMESPACE_NOT_ATTACHED -> "Attach the namespace to this controller first.";
            case Status.SELF_TEST_IN_PROGRESS ->
                    "A self-test is running: wait for its end or stop it.";
            case Status.SANITIZE_PROHIBITED_BY_PMR -> "Disable the Persistent Memory Region first.";
            case Status.COMMAND_SET_NOT_SUPPORTED ->
                    "The controller does not have the command set of this namespace.";
            case Status.COMMAND_SET_NOT_ENABLED ->
                    "Enable the command set: CC.CSS and the I/O Command Set Profile.";
            case Status.INVALID_PROTECTION_INFO ->
                    "PRINFO does not suit the protection type that the namespace is "
                            + "formatted with.";
            case Status.WRITE_TO_READ_ONLY_RANGE ->
                    "A block of the range cannot be written: choose another range or "
                            + "replace the drive.";
            case Status.COMMAND_SIZE_LIMIT_EXCEEDED ->
                    "Split the command: Dataset Management, Copy, Verify and Write Zeroes "
                            + "have limits of their own.";
            case Status.INCOMPATIBLE_NAMESPACE_OR_FORMAT ->
                    "Copy between two namespaces wants the same LBA format on both.";
            case Status.OVERLAPPING_IO_RANGE ->
                    "Source and target ranges of Copy overlap: keep them apart.";
            case Status.WRITE_FAULT ->
                    "The medium did not take the data: the drive is failing. Read SMART, "
                            + "then replace it.";
            case Status.UNRECOVERED_READ_ERROR ->
                    "The medium lost these blocks: copy around them or restore them from "
                            + "elsewhere.";
            case Status.GUARD_CHECK_ERROR ->
                    "The data does not fit its checksum: it was damaged on the way or on "
                            + "the medium.";
            case Status.REFERENCE_TAG_CHECK_ERROR ->
                    "The block belongs to another address: blocks that were copied "
                            + "without their protection information look like this.";
            case Status.COMPARE_FAILURE ->
                    "The data differs from the medium: the copy is wrong, or somebody "
                            + "else wrote.";
            case Status.ACCESS_DENIED ->
                    "The range is locked: unlock the drive (TCG Opal or the like).";
            case Status.DEALLOCATED_OR_UNWRITTEN ->
                    "The blocks hold nothing and DULBE is on: turn it off, or treat them "
                            + "as holes.";
            case Status.INTERNAL_PATH_ERROR ->
                    "The way through this controller failed: repeat by another path.";
            case Status.ANA_PERSISTENT_LOSS ->
                    "This controller will not reach the namespace again: use another " + "path.";
            case Status.ANA_INACCESSIBLE ->
                    "This controller does not reach the namespace now: use another path.";
            case Status.ANA_TRANSITION ->
                    "The path is changing its state: wait for ANATT, then repeat.";
            case Status.ABORTED_BY_HOST -> "The host's own driver ended the command.";
            case Status.INVALID_SGL_SEGMENT,
                    Status.INVALID_SGL_COUNT,
                    Status.DATA_SGL_LENGTH_INVALID,
                    Status.METADATA_SGL_LENGTH_INVALID,
                    Status.SGL_TYPE_INVALID,
                    Status.SGL_OFFSET_INVALID,
                    Status.SGL_GRANULARITY_INVALID ->
                    "The scatter gather list is not one this controller takes: look at SGLS, or "
                            + "use PRPs.";
            case Status.FIRMWARE_NEEDS_CONVENTIONAL_RESET,
                    Status.FIRMWARE_NEEDS_SUBSYSTEM_RESET,
                    Status.FIRMWARE_NEEDS_CONTROLLER_RESET,
                    Status.FIRMWARE_NEEDS_TOO_LONG ->
                    "The new firmware is stored; it starts with a reset of the named kind.";
            default -> hintOfType(code);
        };
    }

    private static String hintOfType(int code) {
        if (Status.sc(code) >= VENDOR_SC) {
            return VENDOR_HINT;
        }
        return switch (Status.sct(code)) {
            case Status.SCT_GENERIC ->
                    "The controller refused the command: the error log entry may name the field.";
            case Status.SCT_COMMAND ->
                    "The controller refused this command as it was composed: look at its "
                            + "parameters.";
            case Status.SCT_MEDIA ->
                    "The data on the medium or its protection is not right: read SMART and the "
                            + "error log.";
            case Status.SCT_PATH -> "The way to the controller failed: use another path or repeat.";
            case Status.SCT_VENDOR -> VENDOR_HINT;
            default -> "This status is newer than this program, or the completion is damaged.";
        };
    }
}
