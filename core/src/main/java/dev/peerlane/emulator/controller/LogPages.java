package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.ErrorLogEntry;
import dev.peerlane.spec.LogPage;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.SmartLog;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.WireField;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;

/** Composes log pages (NVMe Base 2.0, 5.16), and counts for the SMART log. */
final class LogPages {
    private static final int ERROR_BYTES = ErrorLog.ENTRIES * ErrorLogEntry.BYTES;
    private static final long MAX_BYTES = 1 << 20;
    private static final int FIRMWARE_BYTES = 512;
    private static final int EFFECTS_BYTES = 4096;
    private static final int SMALLEST_OFFSET_STEP = 4;
    private static final int TEMPERATURE_KELVIN = 308;
    private static final int SPARE_THRESHOLD_PERCENT = 10;
    private static final long DATA_UNIT_BYTES = 512_000;
    private static final long MINUTE_NANOS = 60_000_000_000L;
    private static final int SUPPORTED = 1;
    private static final int CHANGES_DATA = 1 << 1;

    private final ErrorLog errors;
    private final DriveModel drive;
    private final MemorySegment page;
    private long bytesRead;
    private long bytesWritten;
    private long reads;
    private long writes;
    private long mediaErrors;
    private long busyNanos;

    LogPages(ErrorLog errors, DriveModel drive, Arena arena) {
        this.errors = errors;
        this.drive = drive;
        this.page = arena.allocate(EFFECTS_BYTES, 8);
    }

    /** Counts a Read or Compare that is over. */
    void read(long bytes) {
        reads++;
        bytesRead += bytes;
    }

    /** Counts data that a Verify read from the medium. */
    void verified(long bytes) {
        bytesRead += bytes;
    }

    /** Counts a Write that is over. */
    void wrote(long bytes) {
        writes++;
        bytesWritten += bytes;
    }

    /** Counts an error of the medium. */
    void mediaError() {
        mediaErrors++;
    }

    /** Counts time in which I/O commands were in flight. */
    void busy(long nanos) {
        busyNanos += nanos;
    }

    /** Returns the length of a log page, 0 if it is not supported. */
    long lengthOf(int lid) {
        return switch (lid) {
            case LogPage.ERROR -> ERROR_BYTES;
            case LogPage.SMART -> SmartLog.BYTES;
            case LogPage.FIRMWARE_SLOT -> FIRMWARE_BYTES;
            case LogPage.COMMAND_EFFECTS -> EFFECTS_BYTES;
            default -> 0;
        };
    }

    /** Checks a command before data is moved; returns 0 or the status with which it has to end. */
    int check(Command command) {
        MemorySegment sqe = command.sqe();
        int lid = AdminCommand.lid(Sqe.cdw10(sqe, 0));
        long length = lengthOf(lid);
        if (length == 0) {
            return Status.INVALID_LOG_PAGE;
        }
        long offset = AdminCommand.logPageOffsetBytes(Sqe.cdw12(sqe, 0), Sqe.cdw13(sqe, 0));
        if (offset % SMALLEST_OFFSET_STEP != 0 || Long.compareUnsigned(offset, length) >= 0) {
            return Status.INVALID_FIELD;
        }
        int nsid = command.nsid();
        boolean ofController = nsid == 0 || nsid == AdminCommand.NSID_ALL;
        if (lid == LogPage.SMART && !ofController) {
            return Status.INVALID_FIELD;
        }
        long bytes = AdminCommand.logPageBytes(Sqe.cdw10(sqe, 0), Sqe.cdw11(sqe, 0));
        boolean tooLong = bytes > Math.min(MAX_BYTES, drive.maxTransferBytes());
        return tooLong ? Status.INVALID_FIELD : 0;
    }

    /** Composes the log page of a checked command. Beyond the end of the page there are zeroes. */
    void compose(Command command, MemorySegment target, long bytes) {
        MemorySegment sqe = command.sqe();
        int lid = AdminCommand.lid(Sqe.cdw10(sqe, 0));
        page.fill((byte) 0);
        switch (lid) {
            case LogPage.ERROR -> errors.writeTo(page);
            case LogPage.SMART -> smart();
            case LogPage.FIRMWARE_SLOT -> firmware();
            case LogPage.COMMAND_EFFECTS -> effects();
            default -> throw new IllegalStateException("not checked: log page " + lid);
        }
        long offset = AdminCommand.logPageOffsetBytes(Sqe.cdw12(sqe, 0), Sqe.cdw13(sqe, 0));
        long known = Math.min(bytes, lengthOf(lid) - offset);
        target.asSlice(0, bytes).fill((byte) 0);
        MemorySegment.copy(page, offset, target, 0, known);
    }

    private void smart() {
        SmartLog.TEMPERATURE.write(page, TEMPERATURE_KELVIN);
        SmartLog.SPARE.write(page, 100);
        SmartLog.SPARE_THRESHOLD.write(page, SPARE_THRESHOLD_PERCENT);
        big(SmartLog.DATA_UNITS_READ, units(bytesRead));
        big(SmartLog.DATA_UNITS_WRITTEN, units(bytesWritten));
        big(SmartLog.HOST_READS, reads);
        big(SmartLog.HOST_WRITES, writes);
        big(SmartLog.BUSY_TIME, busyNanos / MINUTE_NANOS);
        big(SmartLog.POWER_CYCLES, 1);
        big(SmartLog.MEDIA_ERRORS, mediaErrors);
        big(SmartLog.ERROR_LOG_ENTRIES, errors.count());
        SmartLog.sensorField(0).write(page, TEMPERATURE_KELVIN);
    }

    private void firmware() {
        new WireField(0, 1).write(page, 1);
        new WireField(8, 8).writeText(page, "1.0");
    }

    private void effects() {
        int[] admin = {
            AdminOpcode.DELETE_IO_SQ,
            AdminOpcode.CREATE_IO_SQ,
            AdminOpcode.GET_LOG_PAGE,
            AdminOpcode.DELETE_IO_CQ,
            AdminOpcode.CREATE_IO_CQ,
            AdminOpcode.IDENTIFY,
            AdminOpcode.ABORT,
            AdminOpcode.SET_FEATURES,
            AdminOpcode.GET_FEATURES,
            AdminOpcode.ASYNC_EVENT_REQUEST
        };
        for (int opcode : admin) {
            effect(opcode, SUPPORTED);
        }
        int io = 256;
        effect(io + NvmOpcode.FLUSH, SUPPORTED);
        effect(io + NvmOpcode.READ, SUPPORTED);
        effect(io + NvmOpcode.VERIFY, SUPPORTED);
        effect(io + NvmOpcode.WRITE, SUPPORTED | CHANGES_DATA);
        effect(io + NvmOpcode.WRITE_ZEROES, SUPPORTED | CHANGES_DATA);
        effect(io + NvmOpcode.DATASET_MANAGEMENT, SUPPORTED | CHANGES_DATA);
        if (drive.compare()) {
            effect(io + NvmOpcode.COMPARE, SUPPORTED);
        }
    }

    private void effect(int index, int value) {
        new WireField(4 * index, 4).write(page, value);
    }

    private void big(WireField field, long value) {
        field.writeBig(page, BigInteger.valueOf(value));
    }

    /** Returns a number of data units, rounded up (5.16.1.3). */
    private static long units(long bytes) {
        return (bytes + DATA_UNIT_BYTES - 1) / DATA_UNIT_BYTES;
    }
}
