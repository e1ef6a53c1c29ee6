package dev.peerlane.emulator.controller;

import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;

/** The admin commands (NVMe Base 2.0, 5), except those for queues and pages. */
final class AdminCommands extends CommandSetHandler {
    private final CommandEngine engine;
    private final QueueCommands queues;
    private final PageCommands pages;
    private final FeatureTable features;
    private final AsyncEvents events;
    private final ShadowReader shadows;

    AdminCommands(
            CommandEngine engine,
            QueueCommands queues,
            PageCommands pages,
            FeatureTable features,
            AsyncEvents events,
            ShadowReader shadows) {
        this.engine = engine;
        this.queues = queues;
        this.pages = pages;
        this.features = features;
        this.events = events;
        this.shadows = shadows;
    }

    @Override
    int start(Command command) {
        MemorySegment sqe = command.sqe();
        if (Sqe.psdt(sqe, 0) != Sqe.PSDT_PRP || Sqe.fuse(sqe, 0) != Sqe.FUSE_NONE) {
            return refuse(command, Status.INVALID_FIELD);
        }
        return switch (command.opcode()) {
            case AdminOpcode.CREATE_IO_CQ -> queues.createCompletionQueue(command);
            case AdminOpcode.CREATE_IO_SQ -> queues.createSubmissionQueue(command);
            case AdminOpcode.DELETE_IO_CQ -> queues.deleteCompletionQueue(command);
            case AdminOpcode.DELETE_IO_SQ -> queues.deleteSubmissionQueue(command);
            case AdminOpcode.IDENTIFY -> pages.identify(command);
            case AdminOpcode.GET_LOG_PAGE -> pages.logPage(command);
            case AdminOpcode.GET_FEATURES -> features.get(command);
            case AdminOpcode.SET_FEATURES -> features.set(command);
            case AdminOpcode.ABORT -> abort(command);
            case AdminOpcode.ASYNC_EVENT_REQUEST -> events.request(command);
            case AdminOpcode.DOORBELL_BUFFER_CONFIG -> shadows.configure(command);
            default -> refuse(command, Status.INVALID_OPCODE);
        };
    }

    @Override
    void finish(Command command) {
        if (command.opcode() == AdminOpcode.GET_LOG_PAGE) {
            int cdw10 = Sqe.cdw10(command.sqe(), 0);
            if (!AdminCommand.rae(cdw10)) {
                events.logRead(AdminCommand.lid(cdw10));
            }
        }
        command.end(Status.SUCCESS);
    }

    /**
     * Aborts a command that waits to begin. One that has begun, is over or is unknown is reported
     * as "not aborted" (5.1).
     */
    private int abort(Command command) {
        int cdw10 = Sqe.cdw10(command.sqe(), 0);
        int sqid = AdminCommand.abortSqid(cdw10);
        int cid = AdminCommand.abortCid(cdw10);
        Command found = engine.takeWaiting(c -> isAbortable(c, sqid, cid));
        boolean aborted = found != null;
        if (found != null) {
            found.end(Status.ABORT_REQUESTED);
            engine.complete(found);
        } else if (sqid == 0) {
            aborted = events.abort(cid);
        }
        command.result(aborted ? 0 : 1);
        return DONE;
    }

    private static boolean isAbortable(Command command, int sqid, int cid) {
        return command.queue().qid() == sqid && command.cid() == cid && !command.endsUnseen();
    }
}
