package dev.peerlane.emulator.controller;

import dev.peerlane.mem.Mmio;
import dev.peerlane.spec.wire.Reg;
import java.lang.foreign.MemorySegment;

/** Doorbells in plain memory that a host in another process writes. They have to be polled. */
final class DoorbellMemory {
    private final long address;
    private final int stride;
    private final int[] seen;

    DoorbellMemory(MemorySegment memory, int queues, int stride) {
        this.stride = stride;
        this.seen = new int[2 * queues];
        long needed = at(queues - 1, true) + 4;
        if (memory.byteSize() < needed || (memory.address() & 3) != 0) {
            throw new IllegalArgumentException(
                    "%d bytes at 0x%x for doorbells of %d bytes"
                            .formatted(memory.byteSize(), memory.address(), needed));
        }
        this.address = memory.address();
    }

    /** Sets the doorbell of a new queue to 0. */
    void clear(int qid, boolean completion) {
        Mmio.store32Release(address + at(qid, completion), 0);
        seen[index(qid, completion)] = 0;
    }

    /** Calls the listener for every doorbell of a queue whose value has changed. */
    void look(Queues made, DoorbellListener listener) {
        for (int qid = 0; qid < made.limit(); qid++) {
            if (made.completionQueue(qid) != null) {
                look(qid, true, listener);
            }
            if (made.submissionQueue(qid) != null) {
                look(qid, false, listener);
            }
        }
    }

    private void look(int qid, boolean completion, DoorbellListener listener) {
        int value = Mmio.load32Acquire(address + at(qid, completion));
        int index = index(qid, completion);
        if (value != seen[index]) {
            seen[index] = value;
            listener.moved(qid, completion, value);
        }
    }

    private static int index(int qid, boolean completion) {
        return 2 * qid + (completion ? 1 : 0);
    }

    private long at(int qid, boolean completion) {
        int register =
                completion ? Reg.cqHeadDoorbell(qid, stride) : Reg.sqTailDoorbell(qid, stride);
        return (long) register - Reg.DOORBELLS;
    }
}
