package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;

/** Checks the parameters of new queues. Each method returns a status, 0 for valid ones. */
final class QueueRules {
    private final HostSettings settings;
    private final Cmb cmb;
    private final int maxEntries;

    QueueRules(HostSettings settings, Cmb cmb, DriveModel drive) {
        this.settings = settings;
        this.cmb = cmb;
        this.maxEntries = drive.maxQueueEntries();
    }

    /** Checks the parameters of Create I/O Completion Queue. */
    int completionQueue(MemorySegment sqe, int entries) {
        return shape(sqe, entries, settings.completionBytes());
    }

    /** Checks the parameters of Create I/O Submission Queue. */
    int submissionQueue(MemorySegment sqe, int entries) {
        return shape(sqe, entries, settings.submissionBytes());
    }

    private int shape(MemorySegment sqe, int entries, int entryBytesShift) {
        if (entries < 2 || entries > maxEntries) {
            return Status.INVALID_QUEUE_SIZE;
        }
        // CAP.CQR: queues have to be contiguous; entry sizes come from CC
        if (!AdminCommand.pc(Sqe.cdw11(sqe, 0)) || entryBytesShift == 0) {
            return Status.INVALID_FIELD;
        }
        boolean aligned = (Sqe.prp1(sqe, 0) & (settings.pageBytes() - 1)) == 0;
        return aligned ? 0 : Status.PRP_OFFSET_INVALID;
    }

    /** Checks the memory of a queue against the rules of the CMB (NVMe Base 2.0, 3.1.3.11). */
    int place(long base, long bytes, int needed) {
        long own = cmb.offsetOf(base, bytes);
        boolean mixed = own == Cmb.PARTLY && (cmb.rules() & CmbModel.CQMMS) == 0;
        boolean unsupported = own != Cmb.OUTSIDE && (cmb.support() & needed) == 0;
        return mixed || unsupported ? Status.INVALID_CMB_USE : 0;
    }
}
