package dev.peerlane.emulator.controller;

/**
 * A submission queue as the controller sees it: it fetches from the head, the host's doorbell moves
 * the tail.
 */
final class SubmissionQueue {
    private final int qid;
    private final long base;
    private final int entries;
    private final CompletionQueue completions;
    private final long[] cids = new long[1024];
    private int head;
    private int fetchHead;
    private int tail;
    private int inFlight;
    private boolean deleting;

    SubmissionQueue(int qid, long base, int entries, CompletionQueue completions) {
        this.qid = qid;
        this.base = base;
        this.entries = entries;
        this.completions = completions;
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

    CompletionQueue completions() {
        return completions;
    }

    /** SQHD: all entries before it were fetched. */
    int head() {
        return head;
    }

    /** Returns how many entries the host posted whose fetch was not begun. */
    int waiting() {
        return distance(fetchHead, tail);
    }

    private int distance(int from, int to) {
        return to >= from ? to - from : to - from + entries;
    }

    /** Takes a doorbell value; false if it can't be right (NVMe Base 2.0, 3.3.1.2.1). */
    boolean ring(int newTail) {
        if (newTail < 0 || newTail >= entries) {
            return false;
        }
        int posted = distance(tail, newTail);
        if (posted == 0 || posted > entries - 1 - distance(head, tail)) {
            return false;
        }
        tail = newTail;
        return true;
    }

    /**
     * Begins the fetch of one entry and returns where it is. The head stays before it: the host may
     * use the place again only when the entry has arrived.
     */
    int advance() {
        int at = fetchHead;
        fetchHead = fetchHead + 1 == entries ? 0 : fetchHead + 1;
        inFlight++;
        return at;
    }

    /** The oldest entry that was being fetched has arrived; false if its identifier is taken. */
    boolean take(int cid) {
        head = head + 1 == entries ? 0 : head + 1;
        long bit = 1L << cid;
        boolean free = (cids[cid >>> 6] & bit) == 0;
        cids[cid >>> 6] |= bit;
        return free;
    }

    /** A command is over. */
    void release(int cid, boolean ownedIdentifier) {
        inFlight--;
        if (ownedIdentifier) {
            releaseIdentifier(cid);
        }
    }

    /** The identifier of a command that goes on is free. */
    void releaseIdentifier(int cid) {
        cids[cid >>> 6] &= ~(1L << cid);
    }

    /** Returns how many commands are being fetched, or were and are not over. */
    int inFlight() {
        return inFlight;
    }

    /** Whether it is being deleted: nothing is fetched any more. */
    boolean deleting() {
        return deleting;
    }

    void delete() {
        deleting = true;
    }
}
