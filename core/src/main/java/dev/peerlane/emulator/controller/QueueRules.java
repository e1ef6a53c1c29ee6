package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;

/** What a queue has to be like; each answer is a status, 0 where it is. */
final class QueueRules {
    private final HostSettings settings;
    private final Cmb cmb;
    private final int maxEntries;

    QueueRules(HostSettings settings, Cmb cmb, DriveModel drive) {
        this.settings = settings;
        this.cmb = cmb;
        this.maxEntries = drive.maxQueueEntries();
    }

    /** Judges what a command says of a completion queue. */
    int completionQueue(MemorySegment sqe, int entries) {
        return shape(sqe, entries, settings.completionBytes());
    }

    /** Judges what a command says of a submission queue. */
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

    /** The rules of the CMB for a queue (NVMe Base 2.0, 3.1.3.11). */
    int place(long base, long bytes, int needed) {
        long own = cmb.offsetOf(base, bytes);
        boolean mixed = own == Cmb.PARTLY && (cmb.rules() & CmbModel.CQMMS) == 0;
        boolean unsupported = own != Cmb.OUTSIDE && (cmb.support() & needed) == 0;
        return mixed || unsupported ? Status.INVALID_CMB_USE : 0;
    }
}
