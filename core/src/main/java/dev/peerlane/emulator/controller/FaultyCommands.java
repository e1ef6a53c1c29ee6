package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.bus.FaultPlan;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.NvmCommand;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Applies the fault plan to commands between their fetch and their completion. */
final class FaultyCommands {
    private static final int FOREIGN_CID = 0x4000;

    private final FaultPlan plan;
    private final List<Command> late = new ArrayList<>();
    private final List<BadBlocks> bad = new ArrayList<>();
    private final List<Fault> lies = new ArrayList<>();
    private long now;
    private long stalledUntil;

    /** Blocks on which commands of one opcode fail. */
    private record BadBlocks(int opcode, int nsid, long first, long last) {}

    FaultyCommands(FaultPlan plan) {
        this.plan = plan;
    }

    /** Discards commands in flight. Bad blocks stay bad. */
    void reset(Consumer<Command> forget) {
        late.forEach(forget);
        late.clear();
        stalledUntil = 0;
    }

    /** Makes bad blocks good, and Compares truthful again. */
    void repair() {
        bad.clear();
        lies.clear();
    }

    boolean isStalled(long time) {
        now = time;
        return time < stalledUntil;
    }

    long stalledUntil() {
        return stalledUntil;
    }

    /**
     * Takes a command that was fetched; returns the fault that happens to the whole controller, or
     * null.
     */
    @Nullable Fault fetched(Command command, long time) {
        Fault fault = plan.command(command.isAdmin(), command.opcode());
        command.fault(fault);
        if (fault == null) {
            return null;
        }
        boolean effectless =
                fault.kind() == Fault.Kind.WRONG_DATA
                        || (fault.kind() == Fault.Kind.BAD_BLOCKS && !namesBlocks(command))
                        || (fault.kind() == Fault.Kind.LATE_DATA && !isRead(command));
        if (!effectless) {
            plan.happens(fault);
        }
        if (fault.kind() == Fault.Kind.LATE_DATA && effectless) {
            command.fault(null);
        }
        return switch (fault.kind()) {
            case SLOW, ZOMBIE -> {
                command.delay(Math.max(command.dueNanos(), time) + fault.nanos());
                yield null;
            }
            case STALL -> {
                stalledUntil = time + fault.nanos();
                yield null;
            }
            case BAD_BLOCKS -> {
                if (namesBlocks(command)) {
                    bad.add(blocks(command));
                }
                yield null;
            }
            case COMPARE_LIES -> {
                lies.add(fault);
                yield null;
            }
            case FATAL, RESET, GONE, CMB_DATA_WITHDRAWN -> fault;
            default -> null;
        };
    }

    /** Returns the status with which a command ends before it has begun; 0 for none. */
    int status(Command command) {
        Fault fault = command.fault();
        if (fault != null && fault.kind() == Fault.Kind.STATUS) {
            return fault.status();
        }
        if (bad.isEmpty() || command.isAdmin()) {
            return 0;
        }
        BadBlocks mine = blocks(command);
        for (BadBlocks other : bad) {
            if (other.opcode() == mine.opcode()
                    && other.nsid() == mine.nsid()
                    && other.first() <= mine.last()
                    && mine.first() <= other.last()) {
                return mine.opcode() == NvmOpcode.WRITE
                        ? Status.WRITE_FAULT
                        : Status.UNRECOVERED_READ_ERROR;
            }
        }
        return 0;
    }

    /** Returns whether a command is to be completed before it has moved its data. */
    boolean answersTooEarly(Command command) {
        return command.suffers(Fault.Kind.LATE_DATA) && !command.endsUnseen();
    }

    /** Completes a command towards the host; its data moves some time later. */
    void answerTooEarly(Command command, DmaPort dma) {
        Fault fault = Objects.requireNonNull(command.fault());
        SubmissionQueue queue = command.queue();
        queue.completions().post(dma, 0, queue.head(), queue.qid(), command.cid(), fault.status());
        queue.releaseIdentifier(command.cid());
        command.answered();
        command.delay(now + fault.nanos());
    }

    /** Returns whether a Compare reports a block as equal, whatever is on the medium. */
    boolean lies(long lba) {
        for (int i = 0; i < lies.size(); i++) {
            if (lies.get(i).holds(lba)) {
                return true;
            }
        }
        return false;
    }

    /** Flips one bit of the data. */
    void spoil(Command command) {
        Fault fault = command.fault();
        if (fault != null && fault.kind() == Fault.Kind.WRONG_DATA && command.hasBuffer()) {
            plan.happens(fault);
            MemorySegment data = command.buffer();
            data.set(ValueLayout.JAVA_BYTE, 0, (byte) (data.get(ValueLayout.JAVA_BYTE, 0) ^ 1));
        }
    }

    /** Returns whether a completion is delayed. */
    boolean keepsBack(Command command) {
        Fault fault = command.fault();
        if (fault == null || fault.kind() != Fault.Kind.LATE_COMPLETION) {
            return false;
        }
        command.delay(now + fault.nanos());
        late.add(command);
        return true;
    }

    /** Delivers the delayed completions that are due. */
    void releaseLate(long time, Consumer<Command> deliver) {
        for (int i = late.size() - 1; i >= 0; i--) {
            if (late.get(i).dueNanos() <= time) {
                deliver.accept(late.remove(i));
            }
        }
    }

    /** Returns when the next delayed completion is due; {@link Long#MAX_VALUE} for never. */
    long nextNanos() {
        long next = Long.MAX_VALUE;
        for (int i = 0; i < late.size(); i++) {
            next = Math.min(next, late.get(i).dueNanos());
        }
        return next;
    }

    /** Returns, once per command, whether a forged completion comes before its own. */
    boolean forges(Command command) {
        return command.suffers(Fault.Kind.FORGED_COMPLETION);
    }

    /** Posts a completion for a command that does not exist. */
    static void forge(Command command, DmaPort dma) {
        command.fault(null);
        SubmissionQueue queue = command.queue();
        int cid = command.cid() ^ FOREIGN_CID;
        queue.completions().post(dma, 0, queue.head(), queue.qid(), cid, 0);
    }

    /** Posts a completion, altered by a fault if it has one; returns false if the DMA failed. */
    static boolean post(Command command, DmaPort dma) {
        SubmissionQueue queue = command.queue();
        CompletionQueue completions = queue.completions();
        int cid = command.cid() ^ (command.suffers(Fault.Kind.WRONG_CID) ? FOREIGN_CID : 0);
        int dw0 = command.result();
        int status = command.status();
        if (command.suffers(Fault.Kind.WRONG_PHASE)) {
            return completions.postOutOfPhase(dma, dw0, queue.head(), queue.qid(), cid, status);
        }
        boolean written = completions.post(dma, dw0, queue.head(), queue.qid(), cid, status);
        if (command.suffers(Fault.Kind.DUPLICATE_COMPLETION) && !completions.isFull()) {
            written &= completions.post(dma, dw0, queue.head(), queue.qid(), cid, status);
        }
        return written;
    }

    private static boolean isRead(Command command) {
        return !command.isAdmin() && command.opcode() == NvmOpcode.READ;
    }

    /**
     * Returns whether DW10 to DW12 hold a range of blocks. A Flush has none, whatever these dwords
     * hold.
     */
    private static boolean namesBlocks(Command command) {
        return !command.isAdmin()
                && switch (command.opcode()) {
                    case NvmOpcode.READ,
                            NvmOpcode.WRITE,
                            NvmOpcode.COMPARE,
                            NvmOpcode.WRITE_ZEROES,
                            NvmOpcode.WRITE_UNCORRECTABLE,
                            NvmOpcode.VERIFY ->
                            true;
                    default -> false;
                };
    }

    private static BadBlocks blocks(Command command) {
        MemorySegment sqe = command.sqe();
        long first = NvmCommand.slba(Sqe.cdw10(sqe, 0), Sqe.cdw11(sqe, 0));
        long last = first + NvmCommand.nlbZ(Sqe.cdw12(sqe, 0));
        return new BadBlocks(command.opcode(), command.nsid(), first, last);
    }
}
