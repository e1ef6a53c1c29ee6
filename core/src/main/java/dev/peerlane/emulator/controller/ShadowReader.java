package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.bus.Interconnect;
import dev.peerlane.emulator.bus.Reads;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/**
 * Shadow doorbells of the I/O queues in host memory (NVMe Base 2.0, 5.8 and annex B.5). While there
 * is work, the controller polls them in every turn and leaves EventIdx as it is, so that the host
 * need not write a register. Before it rests, it writes the values that it has seen to EventIdx,
 * polls once more, and then waits for a register write.
 */
final class ShadowReader {
    /** Number of turns without work before the controller rests. */
    private static final int IDLE_TURNS = 16;

    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final DmaPort dma;
    private final boolean supported;
    private final HostSettings settings;
    private final Consumer<String> unreachable;
    private final int stride;
    private final int[] seen;
    private final Reads reads = new Reads(); // never outstanding: every read is answered at once
    private final MemorySegment word = MemorySegment.ofArray(new long[1]);
    private long shadows;
    private long events;
    private boolean configured;
    private int idleTurns;

    /**
     * Creates shadow doorbells that are not in use.
     *
     * @param unreachable called with a description of the page that can't be reached
     */
    ShadowReader(
            DmaPort dma, DriveModel drive, HostSettings settings, Consumer<String> unreachable) {
        this.dma = dma;
        this.supported = drive.doorbellBuffer();
        this.settings = settings;
        this.unreachable = unreachable;
        this.stride = drive.doorbellStride();
        this.seen = new int[2 * (drive.ioQueues() + 1)];
    }

    /** Begins to use two pages of host memory, each page aligned (5.8). */
    int configure(Command command) {
        if (!supported) {
            return CommandSetHandler.refuse(command, Status.INVALID_OPCODE);
        }
        long shadowPage = Sqe.prp1(command.sqe(), 0);
        long eventPage = Sqe.prp2(command.sqe(), 0);
        if (((shadowPage | eventPage) & (settings.pageBytes() - 1)) != 0) {
            return CommandSetHandler.refuse(command, Status.PRP_OFFSET_INVALID);
        }
        if (shadowPage == 0 || eventPage == 0) {
            return CommandSetHandler.refuse(command, Status.INVALID_FIELD);
        }
        shadows = shadowPage;
        events = eventPage;
        configured = true;
        idleTurns = 0;
        return CommandSetHandler.DONE;
    }

    /** Stops using them, as a controller reset does. */
    void reset() {
        configured = false;
    }

    /** Returns whether the doorbells of a queue are in memory. */
    boolean has(int qid) {
        return configured && qid > 0;
    }

    /** Sets the doorbell of a new queue to 0. */
    void queueCreated(int qid, boolean completion) {
        seen[index(qid, completion)] = 0;
    }

    /** Begins to poll again, because a register was written: the values are in memory. */
    void wake() {
        idleTurns = 0;
    }

    /**
     * Polls, unless at rest.
     *
     * @param busy whether commands are in flight
     * @return whether to poll again in the next turn
     */
    boolean look(Queues made, DoorbellListener listener, boolean busy) {
        if (!configured || idleTurns > IDLE_TURNS) {
            return false;
        }
        boolean moved = lookAtAll(made, listener, false);
        idleTurns = moved || busy ? 0 : idleTurns + 1;
        if (idleTurns > IDLE_TURNS) {
            lookAtAll(made, listener, true);
            VarHandle.fullFence(); // EventIdx is written before the last poll
            if (lookAtAll(made, listener, false)) {
                idleTurns = 0;
            }
        }
        return idleTurns <= IDLE_TURNS;
    }

    private boolean lookAtAll(Queues made, DoorbellListener listener, boolean rests) {
        boolean moved = false;
        for (int qid = 1; qid < made.limit(); qid++) {
            if (made.completionQueue(qid) != null) {
                moved |= lookAt(qid, true, listener, rests);
            }
            if (made.submissionQueue(qid) != null) {
                moved |= lookAt(qid, false, listener, rests);
            }
        }
        return moved;
    }

    private boolean lookAt(int qid, boolean completion, DoorbellListener listener, boolean rests) {
        int index = index(qid, completion);
        long offset =
                (completion ? Reg.cqHeadDoorbell(qid, stride) : Reg.sqTailDoorbell(qid, stride))
                        - (long) Reg.DOORBELLS;
        if (rests) {
            word.set(U32, 0, seen[index]);
            if (!dma.write(events + offset, word, 0, 4, DmaKind.QUEUE_ENTRY)) {
                unreachable.accept("the EventIdx buffer is out of reach");
            }
            return false;
        }
        if (dma.read(shadows + offset, word, 0, 4, DmaKind.QUEUE_ENTRY, reads)
                != Interconnect.DONE) {
            unreachable.accept("the shadow doorbell buffer is out of reach");
            return false;
        }
        int value = word.get(U32, 0);
        if (value == seen[index]) {
            return false;
        }
        seen[index] = value;
        dma.shadowed(offset + Reg.DOORBELLS, value);
        VarHandle.acquireFence(); // entries are read after the tail that covers them
        listener.moved(qid, completion, value);
        return true;
    }

    private static int index(int qid, boolean completion) {
        return 2 * qid + (completion ? 1 : 0);
    }
}
