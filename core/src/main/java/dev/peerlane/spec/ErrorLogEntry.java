package dev.peerlane.spec;

import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemorySegment;

/**
 * An entry of the Error Information log page, 64 bytes (NVMe Base 2.0, 5.16.1.2; {@link
 * LogPage#ERROR}). The newest error is the first entry.
 *
 * <p>Wraps an entry in the device's format. An emulated device composes the same entry by writing
 * the fields.
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>bytes</th><th>field</th><th>meaning</th><th>section</th></tr>
 * <tr><td>7:0</td><td>ERROR_COUNT</td><td>number of the error</td><td>5.16.1.2</td></tr>
 * <tr><td>9:8</td><td>SQID</td><td>submission queue</td><td>5.16.1.2</td></tr>
 * <tr><td>11:10</td><td>CID</td><td>command identifier</td><td>5.16.1.2</td></tr>
 * <tr><td>13:12</td><td>STATUS</td><td>status 15:1, phase tag 0</td><td>5.16.1.2</td></tr>
 * <tr><td>15:14</td><td>LOCATION</td><td>parameter error location</td><td>5.16.1.2</td></tr>
 * <tr><td>23:16</td><td>LBA</td><td>first failing LBA</td><td>5.16.1.2</td></tr>
 * <tr><td>27:24</td><td>NSID</td><td>namespace</td><td>5.16.1.2</td></tr>
 * <tr><td>28</td><td>VENDOR</td><td>vendor log page</td><td>5.16.1.2</td></tr>
 * <tr><td>29</td><td>TRTYPE</td><td>transport type</td><td>5.16.1.2</td></tr>
 * <tr><td>39:32</td><td>COMMAND_INFO</td><td>command specific</td><td>5.16.1.2</td></tr>
 * </table>
 */
public final class ErrorLogEntry {
    /** Size of the entry. */
    public static final int BYTES = 64;

    /** ERROR_COUNT: number of the error. */
    public static final WireField ERROR_COUNT = new WireField(0, 8);

    /** SQID: submission queue. */
    public static final WireField SQID = new WireField(8, 2);

    /** CID: command identifier. */
    public static final WireField CID = new WireField(10, 2);

    /** STATUS: status 15:1, phase tag 0. */
    public static final WireField STATUS = new WireField(12, 2);

    /** LOCATION: parameter error location. */
    public static final WireField LOCATION = new WireField(14, 2);

    /** LBA: first failing LBA. */
    public static final WireField LBA = new WireField(16, 8);

    /** NSID: namespace. */
    public static final WireField NSID = new WireField(24, 4);

    /** VENDOR: vendor log page. */
    public static final WireField VENDOR = new WireField(28, 1);

    /** TRTYPE: transport type. */
    public static final WireField TRTYPE = new WireField(29, 1);

    /** COMMAND_INFO: command specific. */
    public static final WireField COMMAND_INFO = new WireField(32, 8);

    private final MemorySegment page;

    /**
     * Wraps an entry. The entry is not copied, so a device that writes to it again changes what is
     * read.
     *
     * @throws IllegalArgumentException if the segment is too short
     */
    public ErrorLogEntry(MemorySegment page) {
        this.page = Wire.requireBytes(page, BYTES, "an error log entry");
    }

    /** Returns the Error Count, unique over the controller's life; 0 for an empty entry. */
    public long errorCount() {
        return ERROR_COUNT.read(page);
    }

    /** Returns the Submission Queue ID; FFFFh if the error belongs to no queue. */
    public int sqid() {
        return SQID.readInt(page);
    }

    /** Returns the Command ID; FFFFh if the error belongs to no command. */
    public int cid() {
        return CID.readInt(page);
    }

    /**
     * Returns the Parameter Error Location: byte 7:0 and bit 10:8 of the command; FFFFh if there is
     * none.
     */
    public int parameterErrorLocation() {
        return LOCATION.readInt(page);
    }

    /** Returns the LBA that failed first. */
    public long lba() {
        return LBA.read(page);
    }

    /** Returns the namespace identifier, unsigned. */
    public int nsid() {
        return NSID.readInt(page);
    }

    /** Returns the Vendor Specific Information Available: a log page identifier, or 0. */
    public int vendorLogPage() {
        return VENDOR.readInt(page);
    }

    /** Returns the Transport Type. */
    public int trtype() {
        return TRTYPE.readInt(page);
    }

    /** Returns the Command Specific Information. */
    public long commandInfo() {
        return COMMAND_INFO.read(page);
    }

    /**
     * Returns the status of the command without the phase tag, in the form that {@link Status}
     * takes.
     */
    public int status() {
        return STATUS.readInt(page) >>> 1;
    }

    /** Returns the phase tag of the command's completion: 0 or 1. */
    public int phase() {
        return STATUS.readInt(page) & 1;
    }
}
