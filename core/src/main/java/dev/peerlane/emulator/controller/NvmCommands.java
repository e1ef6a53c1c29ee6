package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.media.EmulatedNamespace;
import dev.peerlane.emulator.media.Media;
import dev.peerlane.emulator.media.Namespaces;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.DsmRange;
import dev.peerlane.spec.wire.NvmCommand;
import dev.peerlane.spec.wire.Sqe;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The commands of the NVM Command Set (NVM Command Set 1.0, 3.2; Flush: NVMe Base 2.0, 7.1). */
final class NvmCommands extends CommandSetHandler {
    private final CommandEngine engine;
    private final Buffers buffers;
    private final DataPlaces places;
    private final StraightMoves straight;
    private final Namespaces namespaces;
    private final FeatureTable features;
    private final LogPages logs;
    private final DriveModel drive;
    private final boolean verify;

    NvmCommands(
            CommandEngine engine,
            DataMoves moves,
            Namespaces namespaces,
            FeatureTable features,
            LogPages logs,
            DriveModel drive) {
        this.engine = engine;
        this.buffers = moves.buffers();
        this.places = moves.places();
        this.straight = moves.straight();
        this.namespaces = namespaces;
        this.features = features;
        this.logs = logs;
        this.drive = drive;
        this.verify = drive.version().isAtLeast(1, 4);
    }

    @Override
    int start(Command command) {
        if (!places.takes(command.psdt()) || command.fuse() != Sqe.FUSE_NONE) {
            return refuse(command, Status.INVALID_FIELD);
        }
        int opcode = command.opcode();
        if (!isSupported(opcode)) {
            return refuse(command, Status.INVALID_OPCODE);
        }
        if (opcode == NvmOpcode.FLUSH) {
            return flush(command);
        }
        EmulatedNamespace namespace = namespaces.get(command.nsid());
        if (namespace == null) {
            return refuse(command, Status.INVALID_NAMESPACE);
        }
        if (!namespace.model().isPlain()) {
            boolean other = namespace.model().commandSet() != CommandSet.NVM;
            return refuse(command, other ? Status.COMMAND_SET_NOT_ENABLED : Status.INVALID_FIELD);
        }
        if (namespace.writeProtected() && changes(opcode)) {
            return refuse(command, Status.NAMESPACE_WRITE_PROTECTED);
        }
        command.namespace(namespace);
        if (opcode == NvmOpcode.DATASET_MANAGEMENT) {
            long bytes = (long) NvmCommand.dsmRanges(command.cdw10()) * DsmRange.BYTES;
            return move(command, bytes, false);
        }
        if (!namespace.contains(slba(command), blocks(command))) {
            return refuse(command, Status.LBA_OUT_OF_RANGE);
        }
        boolean plain = opcode == NvmOpcode.READ || opcode == NvmOpcode.WRITE;
        if (plain && namespace.model().discards()) {
            return discard(command, opcode == NvmOpcode.READ);
        }
        return switch (opcode) {
            case NvmOpcode.WRITE_ZEROES -> writeZeroes(command);
            case NvmOpcode.VERIFY -> verify(command);
            case NvmOpcode.READ -> transfer(command, true);
            case NvmOpcode.WRITE -> transfer(command, false);
            default -> move(command, bytes(command), false);
        };
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
        return status == 0 ? buffer(command, bytes) : refuse(command, status);
    }

    private int buffer(Command command, long bytes) {
        try {
            buffers.attach(command, bytes);
        } catch (OutOfMemoryError e) {
            return end(command, Status.INTERNAL_ERROR);
        }
        return MOVE;
    }

    /** Finds the places of a command's data. Returns a status, 0 for success, or PENDING. */
    private int place(Command command, long bytes, boolean toHost) {
        if (bytes > drive.maxTransferBytes()) {
            return Status.INVALID_FIELD;
        }
        command.transfer(bytes, toHost);
        return places.find(command);
    }

    /**
     * Executes a Read or Write of a medium that keeps nothing: the command is checked like any
     * other, but no data moves.
     */
    private int discard(Command command, boolean toHost) {
        int status = place(command, bytes(command), toHost);
        if (status == DataWalker.PENDING) {
            return WAIT;
        }
        return status == 0 ? DONE : refuse(command, status);
    }

    private int transfer(Command command, boolean toHost) {
        long bytes = bytes(command);
        int status = place(command, bytes, toHost);
        if (status == DataWalker.PENDING) {
            return WAIT;
        }
        if (status != 0) {
            return refuse(command, status);
        }
        try {
            EmulatedNamespace namespace = command.namespace();
            if (straight.takes(command, namespace.media(), 1 << namespace.blockShift())) {
                moveStraight(command, toHost);
                return end(command, Status.SUCCESS);
            }
            int answer = buffer(command, bytes);
            if (toHost && answer == MOVE) {
                command.namespace().media().read(position(command), command.buffer(), 0, bytes);
            }
            return answer;
        } catch (IOException e) {
            return failed(command, e);
        } catch (OutOfMemoryError e) {
            return end(command, Status.INTERNAL_ERROR);
        }
    }

    /** Moves all data between memory and medium. */
    private void moveStraight(Command command, boolean toHost) throws IOException {
        long bytes = command.bytes();
        engine.movesStraight(bytes);
        Media media = command.namespace().media();
        straight.move(command, media, position(command), isDurable(command));
        if (toHost) {
            logs.read(bytes);
        } else {
            logs.wrote(bytes);
        }
    }

    private void write(Command command) throws IOException {
        long bytes = command.bytes();
        command.namespace()
                .media()
                .write(position(command), command.buffer(), 0, bytes, isDurable(command));
        logs.wrote(bytes);
    }

    private boolean isDurable(Command command) {
        return !features.writeCache() || NvmCommand.fua(command.cdw12());
    }

    private void compare(Command command) throws IOException {
        long bytes = command.bytes();
        MemorySegment data = command.buffer();
        MemorySegment medium = buffers.scratch(bytes);
        command.namespace().media().read(position(command), medium, 0, bytes);
        logs.read(bytes);
        int shift = command.namespace().blockShift();
        long at = MemorySegment.mismatch(data, 0, bytes, medium, 0, bytes);
        while (at >= 0 && engine.compareLies(slba(command) + (at >> shift))) {
            long next = ((at >> shift) + 1) << shift;
            at = MemorySegment.mismatch(data, next, bytes, medium, next, bytes);
            at = at < 0 ? at : next + at;
        }
        if (at >= 0) {
            command.end(Status.COMPARE_FAILURE | Status.DO_NOT_RETRY);
        }
    }

    private void manage(Command command) throws IOException {
        if ((command.cdw11() & NvmCommand.DSM_DEALLOCATE) == 0) {
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
        if (!features.writeCache()) {
            namespace.media().flush();
        }
    }

    private int writeZeroes(Command command) {
        try {
            command.namespace().media().clear(position(command), bytes(command));
            if (isDurable(command)) {
                command.namespace().media().flush();
            }
        } catch (IOException e) {
            return failed(command, e);
        }
        return DONE;
    }

    /**
     * Reads the blocks and returns no data. The length is limited like that of a transfer, so that
     * a turn is bounded.
     */
    private int verify(Command command) {
        long bytes = bytes(command);
        if (bytes > drive.maxTransferBytes()) {
            return refuse(command, Status.INVALID_FIELD);
        }
        try {
            command.namespace().media().read(position(command), buffers.scratch(bytes), 0, bytes);
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
        if (!all && namespaces.get(nsid) == null) {
            return refuse(command, Status.INVALID_NAMESPACE);
        }
        int last = all ? namespaces.count() : nsid;
        for (int i = all ? 1 : nsid; i <= last; i++) {
            EmulatedNamespace namespace = namespaces.get(i);
            try {
                if (namespace != null && !namespace.model().writeProtected()) {
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
            case NvmOpcode.VERIFY -> verify;
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
        return NvmCommand.slba(command.cdw10(), command.cdw11());
    }

    private static int blocks(Command command) {
        return NvmCommand.blocks(command.cdw12());
    }

    private static long bytes(Command command) {
        return (long) blocks(command) << command.namespace().blockShift();
    }

    private static long position(Command command) {
        return slba(command) << command.namespace().blockShift();
    }
}
