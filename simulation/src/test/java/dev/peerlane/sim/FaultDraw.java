package dev.peerlane.sim;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.Fault.Kind;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;

/** Draws the faults of a copy. */
final class FaultDraw {
    private static final long MILLI = 1_000_000L;
    private static final int MOST = 3;
    private static final int MANY = 1_000;
    private static final int LATEST_TURN = 13;
    private static final Kind[] KINDS =
            EnumSet.complementOf(EnumSet.copyOf(Coverage.UNDRAWN)).toArray(Kind[]::new);
    private static final Phase[] PHASES = Phase.values();

    private final SplittableRandom random;

    FaultDraw(SplittableRandom random) {
        this.random = random;
    }

    /**
     * Draws one to three faults of a copy.
     *
     * @param source name of the source drive
     * @param target name of the target drive
     * @param third name of the remaining drive
     */
    List<PlannedFault> some(String source, String target, String third) {
        List<PlannedFault> faults = new ArrayList<>();
        boolean lies = false;
        for (int i = 1 + random.nextInt(MOST); i > 0; i--) {
            Kind kind = KINDS[random.nextInt(KINDS.length)];
            // two lies may agree with each other, and then nothing can find them
            if (kind == Kind.WRONG_DATA && lies) {
                continue;
            }
            lies |= kind == Kind.WRONG_DATA;
            String drive =
                    switch (random.nextInt(7)) {
                        case 0, 1, 2 -> source;
                        case 3, 4, 5 -> target;
                        default -> third;
                    };
            // a copy takes hundreds of turns, or thousands over packets
            int late = kind.isSudden() ? 1 << random.nextInt(LATEST_TURN) : 24;
            Fault fault = fault(kind, drive).withOccasion(1 + random.nextInt(odds(2) ? 2 : late));
            if (odds(4)) {
                fault =
                        switch (random.nextInt(4)) {
                            case 0 -> fault.onIo(NvmOpcode.READ);
                            case 1 -> fault.onIo(NvmOpcode.WRITE);
                            case 2 -> fault.onIo(NvmOpcode.COMPARE);
                            default -> fault.onIo(NvmOpcode.FLUSH);
                        };
            }
            if (kind.hasStatus()) {
                fault = status(fault);
            }
            faults.add(new PlannedFault(fault, PHASES[random.nextInt(PHASES.length)]));
        }
        return List.copyOf(faults);
    }

    /**
     * Returns faults that cover a cell, for a copy in which that is possible. Some occasions come
     * after bring-up only if a queue can't be deleted, so that the controller is restarted.
     */
    List<PlannedFault> meeting(Coverage.Cell cell, String source, String target, String third) {
        Kind kind = cell.kind();
        String drive =
                switch (cell.phase()) {
                    case ATTACH -> odds(2) ? source : odds(2) ? target : third;
                    case FILL -> source;
                    case DRAIN -> target;
                    case STEADY, CLOSE, VERIFY -> odds(2) ? source : target;
                };
        List<PlannedFault> faults = new ArrayList<>();
        boolean ofReads = kind == Kind.LATE_DATA || Coverage.PEER_WRITES.contains(kind);
        Fault wanted = fault(kind, ofReads ? source : drive);
        if (kind == Kind.WRONG_DATA && cell.phase() == Phase.CLOSE) {
            wanted = wanted.onAdmin(AdminOpcode.IDENTIFY);
        }
        if (needsRestart(cell)) {
            Fault stuck =
                    Fault.at(Kind.STATUS, drive)
                            .onAdmin(AdminOpcode.DELETE_IO_SQ)
                            .withStatus(Status.INTERNAL_ERROR | Status.DO_NOT_RETRY);
            faults.add(new PlannedFault(stuck, cell.phase()));
            if (cell.phase() != Phase.CLOSE) {
                // on all commands, or the copy would be in its next phase when it gives up; zombies
                // move their data after that
                Fault silent = fault(odds(2) ? Kind.LOST_COMPLETION : Kind.ZOMBIE, drive);
                faults.add(
                        new PlannedFault(
                                silent.withTimes(MANY).onIo(Fault.ANY_OPCODE), cell.phase()));
            }
        }
        if (ofReads && cell.phase() == Phase.VERIFY) {
            // either side may be the one that reads the other's memory
            faults.add(new PlannedFault(fault(kind, target), cell.phase()));
        }
        faults.add(new PlannedFault(wanted, cell.phase()));
        return List.copyOf(faults);
    }

    private static boolean needsRestart(Coverage.Cell cell) {
        return switch (cell.kind()) {
            case CBAI -> cell.phase() != Phase.ATTACH;
            case ALLOCATION -> cell.phase() != Phase.ATTACH && cell.phase() != Phase.VERIFY;
            case WRONG_DATA -> cell.phase() == Phase.CLOSE;
            default -> false;
        };
    }

    private Fault fault(Kind kind, String drive) {
        if (kind.isOfHost()) {
            return Fault.ofHost(kind);
        }
        long nanos =
                switch (kind) {
                    case ZOMBIE, LATE_DATA -> one(MILLI, 300 * MILLI);
                    case SLOW, STALL, LATE_COMPLETION ->
                            one(20_000, MILLI, 20 * MILLI, 300 * MILLI);
                    // no packet is in flight for longer than a reset may take (PCIe 5.0, 6.6.2),
                    // which is how long the engine waits after it has stopped a reader
                    case DELAYED_WRITE, DUPLICATED_WRITE ->
                            one(20_000, MILLI, 20 * MILLI, 90 * MILLI);
                    default -> 0;
                };
        return Fault.at(kind, drive).withNanos(nanos);
    }

    private Fault status(Fault fault) {
        int[] codes = {
            Status.INTERNAL_ERROR,
            Status.DATA_TRANSFER_ERROR,
            Status.UNRECOVERED_READ_ERROR,
            Status.WRITE_FAULT,
            Status.INVALID_FIELD
        };
        int code = codes[random.nextInt(codes.length)] | (odds(2) ? Status.DO_NOT_RETRY : 0);
        return fault.withStatus(code).withTimes(odds(3) ? 1 + random.nextInt(12) : 1);
    }

    private boolean odds(int in) {
        return random.nextInt(in) == 0;
    }

    private long one(long... of) {
        return of[random.nextInt(of.length)];
    }
}
