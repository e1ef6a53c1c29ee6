package dev.peerlane.emulator;

import dev.peerlane.spec.Reg;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Doorbells of the I/O queues in host memory (NVMe Base 2.0, 5.8 and annex B.5). While there is
 * work the controller looks at them in every turn, and leaves EventIdx where it is, so that the
 * host need not write a register. Before it rests it says by EventIdx which value it has seen,
 * looks once more, and then waits for a register write.
 */
final class ShadowDoorbells {
    /** Turns without work before it rests. */
    private static final int IDLE_TURNS = 16;

    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final DmaPort dma;
    private final int stride;
    private final int[] seen;
    private final Reads reads = new Reads(); // never waited for: all is answered at once
    private final MemorySegment word = MemorySegment.ofArray(new long[1]);
    private long shadows;
    private long events;
    private boolean configured;
    private int idleTurns;

    /**
     * Makes them, not in use.
     *
     * @param queues how many queue pairs there can be, the admin queues included
     */
    ShadowDoorbells(DmaPort dma, int queues, int stride) {
        this.dma = dma;
        this.stride = stride;
        this.seen = new int[2 * queues];
    }

    /** Begins to use two pages of host memory. */
    void configure(long shadowPage, long eventPage) {
        shadows = shadowPage;
        events = eventPage;
        configured = true;
        idleTurns = 0;
    }

    /** Forgets them, as a controller reset does. */
    void reset() {
        configured = false;
    }

    /** Returns whether the doorbells of a queue are in memory. */
    boolean has(int qid) {
        return configured && qid > 0;
    }

    /** A queue was made: its doorbell is 0. */
    void queueCreated(int qid, boolean completion) {
        seen[index(qid, completion)] = 0;
    }

    /** A register was written: whatever there is to see is in memory. */
    void wake() {
        idleTurns = 0;
    }

    /**
     * Looks, unless it rests.
     *
     * @param busy whether commands are in flight
     * @return whether it will look again in the next turn
     */
    boolean look(EmulatedController controller, QueueCommands made, boolean busy) {
        if (!configured || idleTurns > IDLE_TURNS) {
            return false;
        }
        boolean moved = lookAtAll(controller, made, false);
        idleTurns = moved || busy ? 0 : idleTurns + 1;
        if (idleTurns > IDLE_TURNS) {
            lookAtAll(controller, made, true);
            VarHandle.fullFence(); // EventIdx is there before the last look
            if (lookAtAll(controller, made, false)) {
                idleTurns = 0;
            }
        }
        return idleTurns <= IDLE_TURNS;
    }

    private boolean lookAtAll(EmulatedController controller, QueueCommands made, boolean rests) {
        boolean moved = false;
        for (int qid = 1; qid < made.limit(); qid++) {
            if (made.completionQueue(qid) != null) {
                moved |= lookAt(controller, qid, true, rests);
            }
            if (made.submissionQueue(qid) != null) {
                moved |= lookAt(controller, qid, false, rests);
            }
        }
        return moved;
    }

    private boolean lookAt(
            EmulatedController controller, int qid, boolean completion, boolean rests) {
        int index = index(qid, completion);
        long offset =
                (completion ? Reg.cqHeadDoorbell(qid, stride) : Reg.sqTailDoorbell(qid, stride))
                        - (long) Reg.DOORBELLS;
        if (rests) {
            word.set(U32, 0, seen[index]);
            if (!dma.write(events + offset, word, 0, 4, DmaKind.QUEUE_ENTRY)) {
                controller.outOfReach("the EventIdx buffer");
            }
            return false;
        }
        if (dma.read(shadows + offset, word, 0, 4, DmaKind.QUEUE_ENTRY, reads)
                != Interconnect.DONE) {
            controller.outOfReach("the shadow doorbell buffer");
            return false;
        }
        int value = word.get(U32, 0);
        if (value == seen[index]) {
            return false;
        }
        seen[index] = value;
        dma.shadowed(offset + Reg.DOORBELLS, value);
        VarHandle.acquireFence(); // entries are read after the tail that tells of them
        controller.moved(qid, completion, value);
        return true;
    }

    private static int index(int qid, boolean completion) {
        return 2 * qid + (completion ? 1 : 0);
    }
}
