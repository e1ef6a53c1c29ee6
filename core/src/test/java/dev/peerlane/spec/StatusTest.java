package dev.peerlane.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class StatusTest {
    /** Numbers and names, typed independently of the code under test. */
    private static final String TABLE =
            """
            000 Successful Completion
            001 Invalid Command Opcode
            002 Invalid Field in Command
            003 Command ID Conflict
            004 Data Transfer Error
            005 Commands Aborted due to Power Loss Notification
            006 Internal Error
            007 Command Abort Requested
            008 Command Aborted due to SQ Deletion
            009 Command Aborted due to Failed Fused Command
            00A Command Aborted due to Missing Fused Command
            00B Invalid Namespace or Format
            00C Command Sequence Error
            00D Invalid SGL Segment Descriptor
            00E Invalid Number of SGL Descriptors
            00F Data SGL Length Invalid
            010 Metadata SGL Length Invalid
            011 SGL Descriptor Type Invalid
            012 Invalid Use of Controller Memory Buffer
            013 PRP Offset Invalid
            014 Atomic Write Unit Exceeded
            015 Operation Denied
            016 SGL Offset Invalid
            018 Host Identifier Inconsistent Format
            019 Keep Alive Timer Expired
            01A Keep Alive Timeout Invalid
            01B Command Aborted due to Preempt and Abort
            01C Sanitize Failed
            01D Sanitize In Progress
            01E SGL Data Block Granularity Invalid
            01F Command Not Supported for Queue in CMB
            020 Namespace is Write Protected
            021 Command Interrupted
            022 Transient Transport Error
            023 Command Prohibited by Command and Feature Lockdown
            024 Admin Command Media Not Ready
            080 LBA Out of Range
            081 Capacity Exceeded
            082 Namespace Not Ready
            083 Reservation Conflict
            084 Format In Progress
            100 Completion Queue Invalid
            101 Invalid Queue Identifier
            102 Invalid Queue Size
            103 Abort Command Limit Exceeded
            105 Asynchronous Event Request Limit Exceeded
            106 Invalid Firmware Slot
            107 Invalid Firmware Image
            108 Invalid Interrupt Vector
            109 Invalid Log Page
            10A Invalid Format
            10B Firmware Activation Requires Conventional Reset
            10C Invalid Queue Deletion
            10D Feature Identifier Not Saveable
            10E Feature Not Changeable
            10F Feature Not Namespace Specific
            110 Firmware Activation Requires NVM Subsystem Reset
            111 Firmware Activation Requires Controller Level Reset
            112 Firmware Activation Requires Maximum Time Violation
            113 Firmware Activation Prohibited
            114 Overlapping Range
            115 Namespace Insufficient Capacity
            116 Namespace Identifier Unavailable
            118 Namespace Already Attached
            119 Namespace Is Private
            11A Namespace Not Attached
            11B Thin Provisioning Not Supported
            11C Controller List Invalid
            11D Device Self-test In Progress
            11E Boot Partition Write Prohibited
            11F Invalid Controller Identifier
            120 Invalid Secondary Controller State
            121 Invalid Number of Controller Resources
            122 Invalid Resource Identifier
            123 Sanitize Prohibited While Persistent Memory Region is Enabled
            124 ANA Group Identifier Invalid
            125 ANA Attach Failed
            126 Insufficient Capacity
            127 Namespace Attachment Limit Exceeded
            128 Prohibition of Command Execution Not Supported
            129 I/O Command Set Not Supported
            12A I/O Command Set Not Enabled
            12B I/O Command Set Combination Rejected
            12C Invalid I/O Command Set
            12D Identifier Unavailable
            180 Conflicting Attributes
            181 Invalid Protection Information
            182 Attempted Write to Read Only Range
            183 Command Size Limit Exceeded
            185 Incompatible Namespace or Format
            187 Overlapping I/O Range
            280 Write Fault
            281 Unrecovered Read Error
            282 End-to-end Guard Check Error
            283 End-to-end Application Tag Check Error
            284 End-to-end Reference Tag Check Error
            285 Compare Failure
            286 Access Denied
            287 Deallocated or Unwritten Logical Block
            288 End-to-end Storage Tag Check Error
            300 Internal Path Error
            301 Asymmetric Access Persistent Loss
            302 Asymmetric Access Inaccessible
            303 Asymmetric Access Transition
            360 Controller Pathing Error
            370 Host Pathing Error
            371 Command Aborted By Host
            """;

    @Test
    void everyStatusOfTheTableHasItsNumberAndName() {
        TABLE.lines()
                .forEach(line -> {
                    int status = Integer.parseInt(line, 0, 3, 16);
                    assertThat(Status.name(status)).as(line).isEqualTo(line.substring(4));
                });
    }

    @Test
    void constantsAreTheNumbersOfTheSpecification() {
        assertThat(Status.INVALID_CMB_USE).isEqualTo(0x012);
        assertThat(Status.PRP_OFFSET_INVALID).isEqualTo(0x013);
        assertThat(Status.NOT_SUPPORTED_FOR_CMB_QUEUE).isEqualTo(0x01F);
        assertThat(Status.NAMESPACE_WRITE_PROTECTED).isEqualTo(0x020);
        assertThat(Status.LBA_OUT_OF_RANGE).isEqualTo(0x080);
        assertThat(Status.INVALID_QUEUE_DELETION).isEqualTo(0x10C);
        assertThat(Status.WRITE_TO_READ_ONLY_RANGE).isEqualTo(0x182);
        assertThat(Status.WRITE_FAULT).isEqualTo(0x280);
        assertThat(Status.UNRECOVERED_READ_ERROR).isEqualTo(0x281);
        assertThat(Status.COMPARE_FAILURE).isEqualTo(0x285);
        assertThat(Status.DEALLOCATED_OR_UNWRITTEN).isEqualTo(0x287);
        assertThat(Status.ABORTED_BY_HOST).isEqualTo(0x371);
    }

    @Test
    void constantsAreNamedAndDistinct() throws IllegalAccessException {
        Set<String> names = new HashSet<>();
        for (Field field : Status.class.getDeclaredFields()) {
            String constant = field.getName();
            boolean isCode =
                    field.getType() == int.class
                            && !constant.startsWith("SCT_")
                            && !constant.equals("MORE")
                            && !constant.equals("DO_NOT_RETRY")
                            && !field.isSynthetic();
            if (isCode) {
                String name = Status.name(field.getInt(null));
                assertThat(name).as(constant).doesNotContain("Unknown").doesNotContain("Vendor");
                assertThat(names.add(name)).as(constant).isTrue();
            }
        }
        assertThat(names).hasSizeGreaterThan(100);
    }

    @Test
    void statusBitsMoveOneFieldEach() {
        WalkingOnes.overInt(Integer::valueOf)
                .bits("SC", 7, 0, Status::sc)
                .bits("SCT", 10, 8, Status::sct)
                .bits("CRD", 12, 11, Status::crd)
                .bit("M", 13, Status::more)
                .bit("DNR", 14, Status::doNotRetry)
                .check();
        WalkingOnes.overInt(Integer::valueOf).bits("code", 10, 0, Status::code).check();
    }

    @Test
    void flagsDoNotMakeAnError() {
        assertThat(Status.isSuccess(0)).isTrue();
        assertThat(Status.isSuccess(Status.MORE | Status.DO_NOT_RETRY)).isTrue();
        assertThat(Status.isSuccess(0x080)).isFalse();
        assertThat(Status.isSuccess(0x100)).isFalse();
        assertThat(Status.of(2, 0x85)).isEqualTo(Status.COMPARE_FAILURE);
    }

    @Test
    void descriptionNamesCodeTypeAndFlags() {
        assertThat(Status.describe(0x4280)).isEqualTo("Write Fault (280h, media), do not retry");
        assertThat(Status.describe(0x0000)).isEqualTo("Successful Completion (000h, generic)");
        assertThat(Status.describe(0x0821))
                .isEqualTo("Command Interrupted (021h, generic), retry after delay 1");
        assertThat(Status.describe(0x2002))
                .isEqualTo("Invalid Field in Command (002h, generic), more in the error log");
        assertThat(Status.describe(0x371)).isEqualTo("Command Aborted By Host (371h, path)");
    }

    @Test
    void unknownAndVendorCodesAreNamedAsSuch() {
        assertThat(Status.describe(0x7C0))
                .isEqualTo("Vendor Specific Status (7C0h, vendor specific)");
        assertThat(Status.describe(0x2C1)).isEqualTo("Vendor Specific Status (2C1h, media)");
        assertThat(Status.describe(0x017)).isEqualTo("Unknown Status (017h, generic)");
        assertThat(Status.name(0x1B9)).isEqualTo("Unknown Status of an I/O Command Set");
        assertThat(Status.describe(0x400)).isEqualTo("Unknown Status (400h, reserved type)");
    }

    @Test
    void everyStatusHasANameAndAHint() {
        for (int status = 0; status < 1 << 15; status++) {
            assertThat(Status.name(status)).isNotBlank();
            assertThat(Status.hint(status)).isNotBlank().endsWith(".");
        }
    }

    @Test
    void statusCodesFromC0hOnAreTheVendorsInEveryType() {
        for (int sct = 0; sct <= Status.SCT_PATH; sct++) {
            for (int sc = 0xc0; sc <= 0xff; sc++) {
                int status = Status.of(sct, sc);
                assertThat(Status.name(status)).isEqualTo("Vendor Specific Status");
                assertThat(Status.hint(status)).isEqualTo(Status.hint(Status.of(7, 0)));
            }
            assertThat(Status.hint(Status.of(sct, 0xbf)))
                    .isNotEqualTo(Status.hint(Status.of(7, 0)));
        }
    }
}
