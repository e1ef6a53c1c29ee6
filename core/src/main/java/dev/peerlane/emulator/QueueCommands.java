package dev.peerlane.emulator;

import dev.peerlane.spec.AdminCommand;
import dev.peerlane.spec.Cqe;
import dev.peerlane.spec.Sqe;
import dev.peerlane.spec.Status;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Creates and deletes I/O queues (NVMe Base 2.0, 5.4 to 5.7), and holds all queues. */
final class QueueCommands {
    private final EmulatedController controller;
    private final CommandEngine engine;
    private final FeatureTable features;
    private final Cmb cmb;
    private final Msix interrupts;
    private final int maxEntries;
    private final @Nullable SubmissionQueue[] submission;
    private final @Nullable CompletionQueue[] completion;
    private int limit;
    private final List<Command> deletes = new ArrayList<>();

    QueueCommands(
            EmulatedController controller,
            CommandEngine engine,
            FeatureTable features,
            Cmb cmb,
            Msix interrupts,
            DriveSpec drive) {
        this.controller = controller;
        this.engine = engine;
        this.features = features;
        this.cmb = cmb;
        this.interrupts = interrupts;
        this.maxEntries = drive.maxQueueEntries();
        this.submission = new SubmissionQueue[drive.ioQueues() + 1];
        this.completion = new CompletionQueue[drive.ioQueues() + 1];
    }

    /** Returns one more than the highest identifier of a queue that there is. */
    int limit() {
        return limit;
    }

    private void count() {
        limit = submission.length;
        while (limit > 0 && submission[limit - 1] == null && completion[limit - 1] == null) {
            limit--;
        }
    }

    @Nullable SubmissionQueue[] submissionQueues() {
        return submission;
    }

    @Nullable SubmissionQueue submissionQueue(int qid) {
        return qid < submission.length ? submission[qid] : null;
    }

    @Nullable CompletionQueue completionQueue(int qid) {
        return qid < completion.length ? completion[qid] : null;
    }

    /** The host has taken entries: a masked interrupt may have nothing left to tell. */
    void taken(CompletionQueue queue) {
        int vector = queue.vector();
        if (vector < 0 || !interrupts.isPending(vector)) {
            return;
        }
        for (CompletionQueue other : completion) {
            if (other != null && other.vector() == vector && !other.isEmpty()) {
                return;
            }
        }
        interrupts.satisfied(vector);
    }

    boolean hasIoQueues() {
        for (int qid = 1; qid < completion.length; qid++) {
            if (completion[qid] != null) {
                return true;
            }
        }
        return false;
    }

    /** Makes the admin queues; false if their places break the rules of the CMB. */
    boolean createAdmin(long asq, int asqEntries, long acq, int acqEntries) {
        int status = place(asq, (long) asqEntries * Sqe.BYTES, CmbSpec.SQS);
        if (status == 0) {
            status = place(acq, (long) acqEntries * Cqe.BYTES, CmbSpec.CQS);
        }
        if (status != 0) {
            return false;
        }
        CompletionQueue completions = new CompletionQueue(0, acq, acqEntries, 0, interrupts);
        completion[0] = completions;
        submission[0] = new SubmissionQueue(0, asq, asqEntries, completions);
        count();
        controller.queueCreated(0, true);
        controller.queueCreated(0, false);
        return true;
    }

    /** Forgets all queues, as a reset does. */
    void reset() {
        deletes.forEach(engine::forget);
        deletes.clear();
        java.util.Arrays.fill(submission, null);
        java.util.Arrays.fill(completion, null);
        count();
    }

    /** Ends deletions whose last command is over. */
    void step() {
        for (int i = 0; i < deletes.size(); i++) {
            Command command = deletes.get(i);
            int qid = AdminCommand.qid(Sqe.cdw10(command.sqe(), 0));
            SubmissionQueue queue = Objects.requireNonNull(submission[qid]);
            // what waits for room in the completion queue may never get it
            engine.dropBlocked(queue);
            if (queue.inFlight() == 0) {
                queue.completions().removeUser();
                submission[qid] = null;
                count();
                deletes.remove(i--);
                engine.complete(command);
            }
        }
    }

    int createCompletionQueue(Command command) {
        MemorySegment sqe = command.sqe();
        int qid = AdminCommand.qid(Sqe.cdw10(sqe, 0));
        int cdw11 = Sqe.cdw11(sqe, 0);
        int granted = features.completionQueues();
        if (qid == 0 || qid > granted || completion[qid] != null) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_IDENTIFIER);
        }
        int entries = AdminCommand.qsizeZ(Sqe.cdw10(sqe, 0)) + 1;
        int status = shape(sqe, entries, AdminCommand.pc(cdw11), controller.completionBytes());
        int vector = AdminCommand.iv(cdw11);
        if (status == 0 && vector >= interrupts.vectors()) {
            status = Status.INVALID_INTERRUPT_VECTOR;
        }
        long base = Sqe.prp1(sqe, 0);
        if (status == 0) {
            status = place(base, (long) entries * Cqe.BYTES, CmbSpec.CQS);
        }
        if (status != 0) {
            return CommandSetHandler.refuse(command, status);
        }
        completion[qid] =
                new CompletionQueue(
                        qid, base, entries, vector, AdminCommand.ien(cdw11) ? interrupts : null);
        count();
        controller.queueCreated(qid, true);
        return CommandSetHandler.DONE;
    }

    int createSubmissionQueue(Command command) {
        MemorySegment sqe = command.sqe();
        int qid = AdminCommand.qid(Sqe.cdw10(sqe, 0));
        int cdw11 = Sqe.cdw11(sqe, 0);
        if (qid == 0 || qid > features.submissionQueues() || submission[qid] != null) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_IDENTIFIER);
        }
        int cqid = AdminCommand.cqid(cdw11);
        if (cqid > features.completionQueues()) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_IDENTIFIER);
        }
        CompletionQueue completions = cqid == 0 ? null : completion[cqid];
        if (completions == null) {
            return CommandSetHandler.refuse(command, Status.COMPLETION_QUEUE_INVALID);
        }
        int entries = AdminCommand.qsizeZ(Sqe.cdw10(sqe, 0)) + 1;
        int status = shape(sqe, entries, AdminCommand.pc(cdw11), controller.submissionBytes());
        long base = Sqe.prp1(sqe, 0);
        if (status == 0) {
            status = place(base, (long) entries * Sqe.BYTES, CmbSpec.SQS);
        }
        if (status != 0) {
            return CommandSetHandler.refuse(command, status);
        }
        completions.addUser();
        submission[qid] = new SubmissionQueue(qid, base, entries, completions);
        count();
        controller.queueCreated(qid, false);
        return CommandSetHandler.DONE;
    }

    int deleteCompletionQueue(Command command) {
        int qid = AdminCommand.qid(Sqe.cdw10(command.sqe(), 0));
        CompletionQueue queue = qid == 0 ? null : completionQueue(qid);
        if (queue == null) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_IDENTIFIER);
        }
        if (queue.users() > 0) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_DELETION);
        }
        completion[qid] = null;
        count();
        return CommandSetHandler.DONE;
    }

    /**
     * Stops fetching, aborts what has not begun; the deletion is over when everything that has
     * begun is.
     */
    int deleteSubmissionQueue(Command command) {
        int qid = AdminCommand.qid(Sqe.cdw10(command.sqe(), 0));
        SubmissionQueue queue = qid == 0 ? null : submissionQueue(qid);
        if (queue == null || queue.deleting()) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_IDENTIFIER);
        }
        queue.delete();
        Command waiting = engine.takeWaiting(c -> c.queue() == queue);
        while (waiting != null) {
            waiting.end(Status.SQ_DELETED);
            engine.complete(waiting);
            waiting = engine.takeWaiting(c -> c.queue() == queue);
        }
        deletes.add(command);
        return CommandSetHandler.HELD;
    }

    private int shape(MemorySegment sqe, int entries, boolean contiguous, int entryBytesShift) {
        if (entries < 2 || entries > maxEntries) {
            return Status.INVALID_QUEUE_SIZE;
        }
        // CAP.CQR: queues have to be contiguous; entry sizes come from CC
        if (!contiguous || entryBytesShift == 0) {
            return Status.INVALID_FIELD;
        }
        boolean aligned = (Sqe.prp1(sqe, 0) & (controller.pageBytes() - 1)) == 0;
        return aligned ? 0 : Status.PRP_OFFSET_INVALID;
    }

    /** The rules of the CMB for a queue (NVMe Base 2.0, 3.1.3.11). */
    private int place(long base, long bytes, int needed) {
        long own = cmb.offsetOf(base, bytes);
        boolean mixed = own == Cmb.PARTLY && (cmb.rules() & CmbSpec.CQMMS) == 0;
        boolean unsupported = own != Cmb.OUTSIDE && (cmb.support() & needed) == 0;
        return mixed || unsupported ? Status.INVALID_CMB_USE : 0;
    }
}
