package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.spec.wire.Cqe;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A completion queue from the controller's side: the controller writes at the tail, and the host's
 * doorbell moves the head. An entry that the host has not taken is never overwritten.
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
     * Creates a queue.
     *
     * @param vector the interrupt vector
     * @param interrupts sends the interrupts; null for a queue without them
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

    /** Returns the interrupt vector; -1 if interrupts are off for this queue. */
    int vector() {
        return interrupts == null ? -1 : vector;
    }

    /** Returns whether the host has taken all entries. */
    boolean isEmpty() {
        return head == tail;
    }

    /** Returns the number of submission queues that complete here. */
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

    /** Takes a doorbell value; returns false if it is invalid (NVMe Base 2.0, 3.3.1.2.2). */
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

    /**
     * Writes an entry. Call this only if the queue is not full. Returns false if the DMA failed.
     */
    boolean post(DmaPort dma, int dw0, int sqhd, int sqid, int cid, int status) {
        return post(dma, dw0, Cqe.dw23(sqhd, sqid, cid, status, phase));
    }

    /** Writes an entry with the wrong phase tag; otherwise like {@link #post}. */
    boolean postOutOfPhase(DmaPort dma, int dw0, int sqhd, int sqid, int cid, int status) {
        return post(dma, dw0, Cqe.dw23(sqhd, sqid, cid, status, phase ^ 1));
    }

    private boolean post(DmaPort dma, int dw0, long dw23) {
        // in halves, as it is read: a wider load right behind a store would wait for the store
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
