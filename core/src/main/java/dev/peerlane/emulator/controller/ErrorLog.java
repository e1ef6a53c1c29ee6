package dev.peerlane.emulator.controller;

import dev.peerlane.spec.ErrorLogEntry;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.NvmCommand;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;

/** The last errors; the log page has the newest first (NVMe Base 2.0, 5.16.1.2). */
final class ErrorLog {
    /** Number of errors kept; ELPE is one less. */
    static final int ENTRIES = 64;

    /** The value for an error without a queue, command or parameter. */
    static final int NONE = 0xffff;

    private final byte[][] entries = new byte[ENTRIES][];
    private long count;

    /** Returns the number of errors over the life of the controller. */
    long count() {
        return count;
    }

    /** Adds an entry for a command that ends in an error, and sets More in its status. */
    void note(Command command) {
        int status = command.status();
        if (Status.code(status) == Status.SUCCESS) {
            return;
        }
        boolean io = !command.isAdmin();
        MemorySegment sqe = command.sqe();
        long lba = io ? NvmCommand.slba(Sqe.cdw10(sqe, 0), Sqe.cdw11(sqe, 0)) : 0;
        command.end(status | Status.MORE);
        add(command.queue().qid(), command.cid(), command.status(), lba, command.nsid());
    }

    /** Adds an entry; {@code status} has no phase tag. */
    void add(int sqid, int cid, int status, long lba, int nsid) {
        byte[] entry = new byte[ErrorLogEntry.BYTES];
        MemorySegment page = MemorySegment.ofArray(entry);
        count++;
        ErrorLogEntry.ERROR_COUNT.write(page, count);
        ErrorLogEntry.SQID.write(page, sqid);
        ErrorLogEntry.CID.write(page, cid);
        ErrorLogEntry.STATUS.write(page, (status << 1) & 0xffff);
        ErrorLogEntry.LOCATION.write(page, NONE);
        ErrorLogEntry.LBA.write(page, lba);
        ErrorLogEntry.NSID.write(page, Integer.toUnsignedLong(nsid));
        entries[(int) ((count - 1) % ENTRIES)] = entry;
    }

    /** Writes the log to a page of {@link #ENTRIES} entries. */
    void writeTo(MemorySegment page) {
        page.fill((byte) 0);
        long known = Math.min(count, ENTRIES);
        for (int i = 0; i < known; i++) {
            byte[] entry = entries[(int) ((count - 1 - i) % ENTRIES)];
            MemorySegment.copy(
                    MemorySegment.ofArray(entry),
                    0,
                    page,
                    (long) i * ErrorLogEntry.BYTES,
                    ErrorLogEntry.BYTES);
        }
    }
}
