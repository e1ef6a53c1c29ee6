package dev.peerlane.emulator;

import dev.peerlane.spec.AdminCommand;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.Sqe;
import dev.peerlane.spec.Status;
import java.lang.foreign.MemorySegment;

/** The admin commands (NVMe Base 2.0, 5), apart from those of the queues. */
final class AdminCommands extends CommandSetHandler {
    private static final long MAX_LOG_BYTES = 1 << 20;

    private final EmulatedController controller;
    private final CommandEngine engine;
    private final PrpWalker prps;
    private final QueueCommands queues;
    private final IdentifyPages identify;
    private final LogPages logs;
    private final FeatureTable features;
    private final AsyncEvents events;
    private final DriveSpec drive;

    AdminCommands(
            EmulatedController controller,
            CommandEngine engine,
            PrpWalker prps,
            QueueCommands queues,
            IdentifyPages identify,
            LogPages logs,
            FeatureTable features,
            AsyncEvents events,
            DriveSpec drive) {
        this.controller = controller;
        this.engine = engine;
        this.prps = prps;
        this.queues = queues;
        this.identify = identify;
        this.logs = logs;
        this.features = features;
        this.events = events;
        this.drive = drive;
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
            case AdminOpcode.IDENTIFY -> identify(command);
            case AdminOpcode.GET_LOG_PAGE -> logPage(command);
            case AdminOpcode.GET_FEATURES -> features.get(command);
            case AdminOpcode.SET_FEATURES -> features.set(command);
            case AdminOpcode.ABORT -> abort(command);
            case AdminOpcode.ASYNC_EVENT_REQUEST -> events.request(command);
            case AdminOpcode.DOORBELL_BUFFER_CONFIG -> doorbellBuffer(command);
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

    private int identify(Command command) {
        MemorySegment page = engine.attachBuffer(command, IdentifyPages.BYTES);
        int status = identify.compose(command, page);
        if (status != 0) {
            return refuse(command, status);
        }
        return toHost(command, IdentifyPages.BYTES);
    }

    /** Two pages, each on the boundary of one (5.8). */
    private int doorbellBuffer(Command command) {
        if (!drive.doorbellBuffer()) {
            return refuse(command, Status.INVALID_OPCODE);
        }
        long shadows = Sqe.prp1(command.sqe(), 0);
        long eventIdx = Sqe.prp2(command.sqe(), 0);
        if (((shadows | eventIdx) & (controller.pageBytes() - 1)) != 0) {
            return refuse(command, Status.PRP_OFFSET_INVALID);
        }
        if (shadows == 0 || eventIdx == 0) {
            return refuse(command, Status.INVALID_FIELD);
        }
        controller.shadows().configure(shadows, eventIdx);
        return DONE;
    }

    private int logPage(Command command) {
        MemorySegment sqe = command.sqe();
        long bytes = AdminCommand.logPageBytes(Sqe.cdw10(sqe, 0), Sqe.cdw11(sqe, 0));
        int status = logs.check(command);
        if (status != 0) {
            return refuse(command, status);
        }
        if (bytes > Math.min(MAX_LOG_BYTES, controller.maxTransferBytes())) {
            return refuse(command, Status.INVALID_FIELD);
        }
        logs.compose(command, engine.attachBuffer(command, bytes), bytes);
        return toHost(command, bytes);
    }

    private int toHost(Command command, long bytes) {
        command.transfer(bytes, true);
        int status = prps.walk(command, controller.pageBytes());
        if (status == DataWalker.PENDING) {
            return WAIT;
        }
        return status == 0 ? MOVE : refuse(command, status);
    }

    /** Aborts what waits to begin; what is under way, over or unknown is "not aborted" (5.1). */
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
