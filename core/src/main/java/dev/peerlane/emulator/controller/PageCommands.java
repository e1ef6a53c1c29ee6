package dev.peerlane.emulator.controller;

import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;

/**
 * The admin commands that return a data page: Get Log Page and Identify (NVMe Base 2.0, 5.16 and
 * 5.17).
 */
final class PageCommands {
    private final Buffers buffers;
    private final DataPlaces places;
    private final IdentifyPages identities;
    private final LogPages logs;

    PageCommands(DataMoves moves, IdentifyPages identities, LogPages logs) {
        this.buffers = moves.buffers();
        this.places = moves.places();
        this.identities = identities;
        this.logs = logs;
    }

    int identify(Command command) {
        MemorySegment page = buffers.attach(command, IdentifyPages.BYTES);
        int status = identities.compose(command, page);
        if (status != 0) {
            return CommandSetHandler.refuse(command, status);
        }
        return toHost(command, IdentifyPages.BYTES);
    }

    int logPage(Command command) {
        MemorySegment sqe = command.sqe();
        long bytes = AdminCommand.logPageBytes(Sqe.cdw10(sqe, 0), Sqe.cdw11(sqe, 0));
        int status = logs.check(command);
        if (status != 0) {
            return CommandSetHandler.refuse(command, status);
        }
        logs.compose(command, buffers.attach(command, bytes), bytes);
        return toHost(command, bytes);
    }

    private int toHost(Command command, long bytes) {
        command.transfer(bytes, true);
        int status = places.find(command);
        if (status == DataWalker.PENDING) {
            return CommandSetHandler.WAIT;
        }
        return status == 0 ? CommandSetHandler.MOVE : CommandSetHandler.refuse(command, status);
    }
}
