package dev.peerlane.emulator;

import dev.peerlane.spec.AdminCommand;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.DsmRange;
import dev.peerlane.spec.NvmCommand;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Sqe;
import dev.peerlane.spec.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The commands of the NVM Command Set (NVM Command Set 1.0, 3.2; Flush: NVMe Base 2.0, 7.1). */
final class NvmCommands extends CommandSetHandler {
    private final EmulatedController controller;
    private final CommandEngine engine;
    private final PrpWalker prps;
    private final SglWalker sgls;
    private final FeatureTable features;
    private final LogPages logs;
    private final DriveSpec drive;

    NvmCommands(
            EmulatedController controller,
            CommandEngine engine,
            PrpWalker prps,
            SglWalker sgls,
            FeatureTable features,
            LogPages logs,
            DriveSpec drive) {
        this.controller = controller;
        this.engine = engine;
        this.prps = prps;
        this.sgls = sgls;
        this.features = features;
        this.logs = logs;
        this.drive = drive;
    }

    @Override
    int start(Command command) {
        MemorySegment sqe = command.sqe();
        if (!takes(Sqe.psdt(sqe, 0)) || Sqe.fuse(sqe, 0) != Sqe.FUSE_NONE) {
            return refuse(command, Status.INVALID_FIELD);
        }
        int opcode = command.opcode();
        if (!isSupported(opcode)) {
            return refuse(command, Status.INVALID_OPCODE);
        }
        if (opcode == NvmOpcode.FLUSH) {
            return flush(command);
        }
        EmulatedNamespace namespace = controller.namespace(command.nsid());
        if (namespace == null) {
            return refuse(command, Status.INVALID_NAMESPACE);
        }
        if (!namespace.spec().isPlain()) {
            boolean other = namespace.spec().commandSet() != CommandSet.NVM;
            return refuse(command, other ? Status.COMMAND_SET_NOT_ENABLED : Status.INVALID_FIELD);
        }
        if (namespace.writeProtected() && changes(opcode)) {
            return refuse(command, Status.NAMESPACE_WRITE_PROTECTED);
        }
        command.namespace(namespace);
        if (opcode == NvmOpcode.DATASET_MANAGEMENT) {
            long bytes = (long) NvmCommand.dsmRanges(Sqe.cdw10(sqe, 0)) * DsmRange.BYTES;
            return move(command, bytes, false);
        }
        if (!namespace.contains(slba(command), blocks(command))) {
            return refuse(command, Status.LBA_OUT_OF_RANGE);
        }
        boolean plain = opcode == NvmOpcode.READ || opcode == NvmOpcode.WRITE;
        if (plain && namespace.spec().discards()) {
            return discard(command, opcode == NvmOpcode.READ);
        }
        return switch (opcode) {
            case NvmOpcode.WRITE_ZEROES -> writeZeroes(command);
            case NvmOpcode.VERIFY -> verify(command);
            case NvmOpcode.READ -> read(command);
            default -> move(command, bytes(command), false);
        };
    }

    /** Metadata is never in an SGL: SGLS bit 19 is 0. */
    private boolean takes(int psdt) {
        return psdt == Sqe.PSDT_PRP
                || (psdt == Sqe.PSDT_SGL && drive.sgls() != DriveSpec.Sgls.NONE);
    }

    @Override
    void finish(Command command) {
        command.end(Status.SUCCESS);
        try {
            switch (command.opcode()) {
                case NvmOpcode.WRITE -> write(command);
                case NvmOpcode.COMPARE -> compare(command);
                case NvmOpcode.DATASET_MANAGEMENT -> manage(command);
                default -> logs.read(command.bytes());
            }
        } catch (IOException e) {
            failed(command, e);
        } catch (OutOfMemoryError e) {
            command.end(Status.INTERNAL_ERROR);
        }
    }

    private int move(Command command, long bytes, boolean toHost) {
        int status = place(command, bytes, toHost);
        if (status == DataWalker.PENDING) {
            return WAIT;
        }
        if (status != 0) {
            return refuse(command, status);
        }
        try {
            engine.attachBuffer(command, bytes);
        } catch (OutOfMemoryError e) {
            return end(command, Status.INTERNAL_ERROR);
        }
        return MOVE;
    }

    /** Finds where the data of a command is; answers a status, 0 for success, or PENDING. */
    private int place(Command command, long bytes, boolean toHost) {
        if (bytes > controller.maxTransferBytes()) {
            return Status.INVALID_FIELD;
        }
        command.transfer(bytes, toHost);
        DataWalker walker = Sqe.psdt(command.sqe(), 0) == Sqe.PSDT_PRP ? prps : sgls;
        return walker.walk(command, controller.pageBytes());
    }

    /** A Read or Write of a medium that keeps nothing: checked as any other, and no data moves. */
    private int discard(Command command, boolean reads) {
        int status = place(command, bytes(command), reads);
        if (status == DataWalker.PENDING) {
            return WAIT;
        }
        return status == 0 ? DONE : refuse(command, status);
    }

    private int read(Command command) {
        int answer = move(command, bytes(command), true);
        if (answer == MOVE) {
            EmulatedNamespace namespace = command.namespace();
            try {
                namespace.media().read(position(command), command.buffer(), command.bytes());
            } catch (IOException e) {
                return failed(command, e);
            }
        }
        return answer;
    }

    private void write(Command command) throws IOException {
        boolean durable = !features.writeCache() || NvmCommand.fua(Sqe.cdw12(command.sqe(), 0));
        command.namespace()
                .media()
                .write(position(command), command.buffer(), command.bytes(), durable);
        logs.wrote(command.bytes());
    }

    private void compare(Command command) throws IOException {
        long bytes = command.bytes();
        MemorySegment data = command.buffer();
        MemorySegment medium = controller.scratch(bytes);
        command.namespace().media().read(position(command), medium, bytes);
        logs.read(bytes);
        if (MemorySegment.mismatch(data, 0, bytes, medium, 0, bytes) >= 0) {
            command.end(Status.COMPARE_FAILURE | Status.DO_NOT_RETRY);
        }
    }

    private void manage(Command command) throws IOException {
        if ((Sqe.cdw11(command.sqe(), 0) & NvmCommand.DSM_DEALLOCATE) == 0) {
            return;
        }
        MemorySegment ranges = command.buffer();
        EmulatedNamespace namespace = command.namespace();
        for (long at = 0; at < command.bytes(); at += DsmRange.BYTES) {
            if (!namespace.contains(DsmRange.slba(ranges, at), DsmRange.blocks(ranges, at))) {
                refuse(command, Status.LBA_OUT_OF_RANGE);
                return;
            }
        }
        int shift = namespace.blockShift();
        for (long at = 0; at < command.bytes(); at += DsmRange.BYTES) {
            long position = DsmRange.slba(ranges, at) << shift;
            namespace.media().clear(position, DsmRange.blocks(ranges, at) << shift);
        }
    }

    private int writeZeroes(Command command) {
        try {
            command.namespace().media().clear(position(command), bytes(command));
            if (!features.writeCache() || NvmCommand.fua(Sqe.cdw12(command.sqe(), 0))) {
                command.namespace().media().flush();
            }
        } catch (IOException e) {
            return failed(command, e);
        }
        return DONE;
    }

    /**
     * Reads everything and returns nothing; limited as a transfer is, so that a turn is bounded.
     */
    private int verify(Command command) {
        long bytes = bytes(command);
        if (bytes > controller.maxTransferBytes()) {
            return refuse(command, Status.INVALID_FIELD);
        }
        try {
            command.namespace().media().read(position(command), controller.scratch(bytes), bytes);
        } catch (IOException e) {
            return failed(command, e);
        } catch (OutOfMemoryError e) {
            return end(command, Status.INTERNAL_ERROR);
        }
        logs.verified(bytes);
        return DONE;
    }

    private int flush(Command command) {
        int nsid = command.nsid();
        boolean all = nsid == AdminCommand.NSID_ALL;
        if (!all && controller.namespace(nsid) == null) {
            return refuse(command, Status.INVALID_NAMESPACE);
        }
        int last = all ? controller.namespaceCount() : nsid;
        for (int i = all ? 1 : nsid; i <= last; i++) {
            EmulatedNamespace namespace = controller.namespace(i);
            try {
                if (namespace != null && !namespace.spec().writeProtected()) {
                    namespace.media().flush();
                }
            } catch (IOException e) {
                return failed(command, e);
            }
        }
        return DONE;
    }

    private int failed(Command command, IOException e) {
        if (e instanceof Media.OutOfSpaceException) {
            return end(command, Status.CAPACITY_EXCEEDED);
        }
        logs.mediaError();
        boolean reads =
                switch (command.opcode()) {
                    case NvmOpcode.READ, NvmOpcode.COMPARE, NvmOpcode.VERIFY -> true;
                    default -> false;
                };
        return end(command, reads ? Status.UNRECOVERED_READ_ERROR : Status.WRITE_FAULT);
    }

    private boolean isSupported(int opcode) {
        return switch (opcode) {
            case NvmOpcode.FLUSH,
                    NvmOpcode.WRITE,
                    NvmOpcode.READ,
                    NvmOpcode.WRITE_ZEROES,
                    NvmOpcode.DATASET_MANAGEMENT ->
                    true;
            case NvmOpcode.VERIFY -> controller.version().isAtLeast(1, 4);
            case NvmOpcode.COMPARE -> drive.compare();
            default -> false;
        };
    }

    private static boolean changes(int opcode) {
        return switch (opcode) {
            case NvmOpcode.WRITE, NvmOpcode.WRITE_ZEROES, NvmOpcode.DATASET_MANAGEMENT -> true;
            default -> false;
        };
    }

    /** Returns how many bytes of the medium a command that was just fetched will move. */
    static long mediumBytes(Command command, EmulatedNamespace namespace) {
        return switch (command.opcode()) {
            case NvmOpcode.READ, NvmOpcode.WRITE, NvmOpcode.COMPARE, NvmOpcode.VERIFY ->
                    (long) blocks(command) << namespace.blockShift();
            default -> 0;
        };
    }

    private static long slba(Command command) {
        return NvmCommand.slba(Sqe.cdw10(command.sqe(), 0), Sqe.cdw11(command.sqe(), 0));
    }

    private static int blocks(Command command) {
        return NvmCommand.blocks(Sqe.cdw12(command.sqe(), 0));
    }

    private static long bytes(Command command) {
        return (long) blocks(command) << command.namespace().blockShift();
    }

    private static long position(Command command) {
        return slba(command) << command.namespace().blockShift();
    }
}
