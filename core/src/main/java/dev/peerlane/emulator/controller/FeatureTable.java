package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.media.EmulatedNamespace;
import dev.peerlane.emulator.media.Namespaces;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;

/**
 * Get Features and Set Features (NVMe Base 2.0, 5.15 and 5.27). Saving features is not supported.
 */
final class FeatureTable {
    private static final int CHANGEABLE = 1 << 2;
    private static final int PER_NAMESPACE = 1 << 1;
    private static final int WARNING_KELVIN = 343;
    private static final int MAX_PROTECTION_STATE = 1;

    private final DriveModel drive;
    private final Namespaces namespaces;
    private final Queues queues;
    private final int[] current = new int[256];

    FeatureTable(DriveModel drive, Namespaces namespaces, Queues queues) {
        this.drive = drive;
        this.namespaces = namespaces;
        this.queues = queues;
        reset();
    }

    /** Resets every feature to its default. */
    void reset() {
        for (int fid = 0; fid < current.length; fid++) {
            current[fid] = initial(fid);
        }
    }

    /** Returns whether the volatile write cache is on. */
    boolean writeCache() {
        return drive.volatileWriteCache()
                && Feature.isWriteCacheEnabled(current[Feature.VOLATILE_WRITE_CACHE]);
    }

    /** Returns the arbitration burst: how many commands are fetched from one queue in a row. */
    int arbitrationBurst() {
        int ab = current[Feature.ARBITRATION] & 7;
        return ab == 7 ? Integer.MAX_VALUE : 1 << ab;
    }

    /** Returns how many I/O submission queues the host may create. */
    int submissionQueues() {
        return Feature.submissionQueues(current[Feature.NUMBER_OF_QUEUES]);
    }

    /** Returns how many I/O completion queues the host may create. */
    int completionQueues() {
        return Feature.completionQueues(current[Feature.NUMBER_OF_QUEUES]);
    }

    int get(Command command) {
        MemorySegment sqe = command.sqe();
        int fid = AdminCommand.fid(Sqe.cdw10(sqe, 0));
        if (!isSupported(fid)) {
            return CommandSetHandler.refuse(command, Status.INVALID_FIELD);
        }
        switch (AdminCommand.sel(Sqe.cdw10(sqe, 0))) {
            case AdminCommand.SELECT_CURRENT -> {
                if (fid == Feature.WRITE_PROTECTION) {
                    return protection(command);
                }
                command.result(current[fid]);
            }
            case AdminCommand.SELECT_DEFAULT, AdminCommand.SELECT_SAVED ->
                    command.result(initial(fid));
            case AdminCommand.SELECT_CAPABILITIES ->
                    command.result(CHANGEABLE | (isPerNamespace(fid) ? PER_NAMESPACE : 0));
            default -> {
                return CommandSetHandler.refuse(command, Status.INVALID_FIELD);
            }
        }
        return CommandSetHandler.DONE;
    }

    int set(Command command) {
        MemorySegment sqe = command.sqe();
        int cdw10 = Sqe.cdw10(sqe, 0);
        int fid = AdminCommand.fid(cdw10);
        int value = Sqe.cdw11(sqe, 0);
        if (!isSupported(fid)) {
            return CommandSetHandler.refuse(command, Status.INVALID_FIELD);
        }
        if (AdminCommand.sv(cdw10)) {
            return CommandSetHandler.refuse(command, Status.FEATURE_NOT_SAVEABLE);
        }
        int nsid = command.nsid();
        if (!isPerNamespace(fid) && nsid != 0 && nsid != AdminCommand.NSID_ALL) {
            return CommandSetHandler.refuse(command, Status.FEATURE_NOT_PER_NAMESPACE);
        }
        return switch (fid) {
            case Feature.NUMBER_OF_QUEUES -> numberOfQueues(command, value);
            case Feature.WRITE_PROTECTION -> protect(command, value);
            case Feature.POWER_MANAGEMENT -> keep(command, fid, value, (value & 0x1f) == 0);
            case Feature.COMMAND_SET_PROFILE -> keep(command, fid, value, (value & 0x1ff) == 0);
            case Feature.INTERRUPT_VECTOR_CONFIG ->
                    keep(command, fid, value, (value & 0xffff) <= drive.ioQueues());
            default -> keep(command, fid, value, true);
        };
    }

    private int keep(Command command, int fid, int value, boolean valid) {
        if (!valid) {
            return CommandSetHandler.refuse(command, Status.INVALID_FIELD);
        }
        current[fid] = value;
        return CommandSetHandler.DONE;
    }

    /** Sets Number of Queues, which is allowed only before there is an I/O queue (5.27.1.7). */
    private int numberOfQueues(Command command, int value) {
        if ((value & 0xffff) == 0xffff || value >>> 16 == 0xffff) {
            return CommandSetHandler.refuse(command, Status.INVALID_FIELD);
        }
        if (queues.hasIoQueues()) {
            return CommandSetHandler.refuse(command, Status.COMMAND_SEQUENCE_ERROR);
        }
        int granted =
                Feature.numberOfQueues(
                        Math.min(Feature.submissionQueues(value), drive.ioQueues()),
                        Math.min(Feature.completionQueues(value), drive.ioQueues()));
        current[Feature.NUMBER_OF_QUEUES] = granted;
        command.result(granted);
        return CommandSetHandler.DONE;
    }

    private int protection(Command command) {
        EmulatedNamespace namespace = namespaces.get(command.nsid());
        if (namespace == null) {
            return CommandSetHandler.refuse(command, Status.INVALID_NAMESPACE);
        }
        command.result(namespace.writeProtected() ? 1 : 0);
        return CommandSetHandler.DONE;
    }

    private int protect(Command command, int value) {
        EmulatedNamespace namespace = namespaces.get(command.nsid());
        if (namespace == null) {
            return CommandSetHandler.refuse(command, Status.INVALID_NAMESPACE);
        }
        if ((value & 7) > MAX_PROTECTION_STATE) {
            return CommandSetHandler.refuse(command, Status.INVALID_FIELD);
        }
        boolean readOnlyImage = namespace.model().writeProtected();
        if (readOnlyImage && (value & 7) == 0) {
            return CommandSetHandler.refuse(command, Status.FEATURE_NOT_CHANGEABLE);
        }
        namespace.writeProtect((value & 7) == 1);
        return CommandSetHandler.DONE;
    }

    private boolean isSupported(int fid) {
        return switch (fid) {
            case Feature.ARBITRATION,
                    Feature.POWER_MANAGEMENT,
                    Feature.TEMPERATURE_THRESHOLD,
                    Feature.ERROR_RECOVERY,
                    Feature.NUMBER_OF_QUEUES,
                    Feature.INTERRUPT_COALESCING,
                    Feature.INTERRUPT_VECTOR_CONFIG,
                    Feature.WRITE_ATOMICITY,
                    Feature.ASYNC_EVENT_CONFIG ->
                    true;
            case Feature.WRITE_PROTECTION -> drive.version().isAtLeast(1, 4);
            case Feature.VOLATILE_WRITE_CACHE -> drive.volatileWriteCache();
            case Feature.COMMAND_SET_PROFILE -> namespaces.hasOtherCommandSets();
            default -> false;
        };
    }

    private static boolean isPerNamespace(int fid) {
        return fid == Feature.ERROR_RECOVERY || fid == Feature.WRITE_PROTECTION;
    }

    private int initial(int fid) {
        return switch (fid) {
            case Feature.ARBITRATION -> 3;
            case Feature.TEMPERATURE_THRESHOLD -> WARNING_KELVIN;
            case Feature.VOLATILE_WRITE_CACHE ->
                    Feature.volatileWriteCache(drive.volatileWriteCache());
            case Feature.NUMBER_OF_QUEUES ->
                    Feature.numberOfQueues(drive.ioQueues(), drive.ioQueues());
            default -> 0;
        };
    }
}
