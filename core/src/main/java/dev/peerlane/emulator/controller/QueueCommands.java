package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Creates and deletes I/O queues (NVMe Base 2.0, 5.4 to 5.7). */
final class QueueCommands {
    private final CommandEngine engine;
    private final Queues queues;
    private final Doorbells doorbells;
    private final QueueRules rules;
    private final FeatureTable features;
    private final Msix interrupts;
    private final List<Command> deletes = new ArrayList<>();

    QueueCommands(
            CommandEngine engine,
            Queues queues,
            Doorbells doorbells,
            QueueRules rules,
            FeatureTable features,
            Msix interrupts) {
        this.engine = engine;
        this.queues = queues;
        this.doorbells = doorbells;
        this.rules = rules;
        this.features = features;
        this.interrupts = interrupts;
    }

    /** Creates the admin queues; returns false if their addresses violate the rules of the CMB. */
    boolean createAdmin(long asq, int asqEntries, long acq, int acqEntries) {
        int status = rules.place(asq, (long) asqEntries * Sqe.BYTES, CmbModel.SQS);
        if (status == 0) {
            status = rules.place(acq, (long) acqEntries * Cqe.BYTES, CmbModel.CQS);
        }
        if (status != 0) {
            return false;
        }
        CompletionQueue completions = new CompletionQueue(0, acq, acqEntries, 0, interrupts);
        queues.add(completions);
        queues.add(new SubmissionQueue(0, asq, asqEntries, completions));
        doorbells.queueCreated(0, true);
        doorbells.queueCreated(0, false);
        return true;
    }

    /** Deletes all queues, as a reset does. */
    void reset() {
        deletes.forEach(engine::forget);
        deletes.clear();
        queues.reset();
    }

    /** Completes deletions whose queue has no more commands in flight. */
    void step() {
        for (int i = 0; i < deletes.size(); i++) {
            Command command = deletes.get(i);
            int qid = AdminCommand.qid(Sqe.cdw10(command.sqe(), 0));
            SubmissionQueue queue = Objects.requireNonNull(queues.submissionQueue(qid));
            // commands that wait for room in the completion queue may never get it
            engine.dropBlocked(queue);
            if (queue.inFlight() == 0) {
                queue.completions().removeUser();
                queues.remove(queue);
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
        if (qid == 0 || qid > granted || queues.completionQueue(qid) != null) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_IDENTIFIER);
        }
        int entries = AdminCommand.qsizeZ(Sqe.cdw10(sqe, 0)) + 1;
        int status = rules.completionQueue(sqe, entries);
        int vector = AdminCommand.iv(cdw11);
        if (status == 0 && vector >= interrupts.vectors()) {
            status = Status.INVALID_INTERRUPT_VECTOR;
        }
        long base = Sqe.prp1(sqe, 0);
        if (status == 0) {
            status = rules.place(base, (long) entries * Cqe.BYTES, CmbModel.CQS);
        }
        if (status != 0) {
            return CommandSetHandler.refuse(command, status);
        }
        Msix asked = AdminCommand.ien(cdw11) ? interrupts : null;
        queues.add(new CompletionQueue(qid, base, entries, vector, asked));
        doorbells.queueCreated(qid, true);
        return CommandSetHandler.DONE;
    }

    int createSubmissionQueue(Command command) {
        MemorySegment sqe = command.sqe();
        int qid = AdminCommand.qid(Sqe.cdw10(sqe, 0));
        int cdw11 = Sqe.cdw11(sqe, 0);
        if (qid == 0 || qid > features.submissionQueues() || queues.submissionQueue(qid) != null) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_IDENTIFIER);
        }
        int cqid = AdminCommand.cqid(cdw11);
        if (cqid > features.completionQueues()) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_IDENTIFIER);
        }
        CompletionQueue completions = cqid == 0 ? null : queues.completionQueue(cqid);
        if (completions == null) {
            return CommandSetHandler.refuse(command, Status.COMPLETION_QUEUE_INVALID);
        }
        int entries = AdminCommand.qsizeZ(Sqe.cdw10(sqe, 0)) + 1;
        int status = rules.submissionQueue(sqe, entries);
        long base = Sqe.prp1(sqe, 0);
        if (status == 0) {
            status = rules.place(base, (long) entries * Sqe.BYTES, CmbModel.SQS);
        }
        if (status != 0) {
            return CommandSetHandler.refuse(command, status);
        }
        completions.addUser();
        queues.add(new SubmissionQueue(qid, base, entries, completions));
        doorbells.queueCreated(qid, false);
        return CommandSetHandler.DONE;
    }

    int deleteCompletionQueue(Command command) {
        int qid = AdminCommand.qid(Sqe.cdw10(command.sqe(), 0));
        CompletionQueue queue = qid == 0 ? null : queues.completionQueue(qid);
        if (queue == null) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_IDENTIFIER);
        }
        if (queue.users() > 0) {
            return CommandSetHandler.refuse(command, Status.INVALID_QUEUE_DELETION);
        }
        queues.remove(queue);
        return CommandSetHandler.DONE;
    }

    /**
     * Begins a deletion: stops fetching, and aborts commands that have not begun. The deletion
     * completes when all others are over.
     */
    int deleteSubmissionQueue(Command command) {
        int qid = AdminCommand.qid(Sqe.cdw10(command.sqe(), 0));
        SubmissionQueue queue = qid == 0 ? null : queues.submissionQueue(qid);
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
}
