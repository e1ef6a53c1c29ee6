package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.spec.wire.Cqe;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A completion queue as the controller sees it: it writes at the tail, the host's doorbell moves
 * the head. An entry that the host has not taken is never overwritten.
 */
final class CompletionQueue {
    private final int qid;
    private final long base;
    private final int entries;
    private final int vector;
    private final @Nullable Msix interrupts;
    private final MemorySegment entry = MemorySegment.ofArray(new long[2]);
    private int head;
    private int tail;
    private int phase = 1;
    private int users;

    /**
     * Makes one.
     *
     * @param vector of its interrupts
     * @param interrupts who is asked for them; null if it has none
     */
    CompletionQueue(int qid, long base, int entries, int vector, @Nullable Msix interrupts) {
        this.qid = qid;
        this.base = base;
        this.entries = entries;
        this.vector = vector;
        this.interrupts = interrupts;
    }

    int qid() {
        return qid;
    }

    long base() {
        return base;
    }

    int entries() {
        return entries;
    }

    /** Returns the vector of its interrupts; -1 if it has none. */
    int vector() {
        return interrupts == null ? -1 : vector;
    }

    /** Returns whether the host has taken all entries. */
    boolean isEmpty() {
        return head == tail;
    }

    /** Returns how many submission queues complete here. */
    int users() {
        return users;
    }

    void addUser() {
        users++;
    }

    void removeUser() {
        users--;
    }

    boolean isFull() {
        int next = tail + 1 == entries ? 0 : tail + 1;
        return next == head;
    }

    private int distance(int from, int to) {
        return to >= from ? to - from : to - from + entries;
    }

    /** Takes a doorbell value; false if it can't be right (NVMe Base 2.0, 3.3.1.2.2). */
    boolean ring(int newHead) {
        if (newHead < 0 || newHead >= entries) {
            return false;
        }
        int taken = distance(head, newHead);
        if (taken == 0 || taken > distance(head, tail)) {
            return false;
        }
        head = newHead;
        return true;
    }

    /** Writes an entry; call it only when the queue is not full. False if the DMA failed. */
    boolean post(DmaPort dma, int dw0, int sqhd, int sqid, int cid, int status) {
        return post(dma, dw0, Cqe.dw23(sqhd, sqid, cid, status, phase));
    }

    /** As {@link #post}, with the wrong phase tag. */
    boolean postOutOfPhase(DmaPort dma, int dw0, int sqhd, int sqid, int cid, int status) {
        return post(dma, dw0, Cqe.dw23(sqhd, sqid, cid, status, phase ^ 1));
    }

    private boolean post(DmaPort dma, int dw0, long dw23) {
        // by halves, as it is read: a wider load right behind a store waits for it
        Cqe.putDw01(entry, 0, dw0, 0);
        Cqe.putDw23(entry, 0, dw23);
        long address = base + (long) tail * Cqe.BYTES;
        boolean written = dma.write(address, entry, 0, Cqe.BYTES, DmaKind.QUEUE_ENTRY);
        if (++tail == entries) {
            tail = 0;
            phase ^= 1;
        }
        if (interrupts != null) {
            interrupts.request(vector);
        }
        return written;
    }
}
