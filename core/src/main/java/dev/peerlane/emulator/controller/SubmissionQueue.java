package dev.peerlane.emulator.controller;

/**
 * A submission queue from the controller's side: the controller fetches from the head, and the
 * host's doorbell moves the tail.
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

    /** Returns SQHD: all entries before it were fetched. */
    int head() {
        return head;
    }

    /** Returns the number of posted entries whose fetch has not begun. */
    int waiting() {
        return distance(fetchHead, tail);
    }

    private int distance(int from, int to) {
        return to >= from ? to - from : to - from + entries;
    }

    /** Takes a doorbell value; returns false if it is invalid (NVMe Base 2.0, 3.3.1.2.1). */
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
     * Begins the fetch of one entry and returns its position. The head does not move yet, because
     * the host may reuse the entry only after it has arrived.
     */
    int advance() {
        int at = fetchHead;
        fetchHead = fetchHead + 1 == entries ? 0 : fetchHead + 1;
        inFlight++;
        return at;
    }

    /**
     * Takes the oldest entry that was being fetched; returns false if its command identifier is in
     * use.
     */
    boolean take(int cid) {
        head = head + 1 == entries ? 0 : head + 1;
        long bit = 1L << cid;
        boolean free = (cids[cid >>> 6] & bit) == 0;
        cids[cid >>> 6] |= bit;
        return free;
    }

    /** Ends a command. */
    void release(int cid, boolean ownedIdentifier) {
        inFlight--;
        if (ownedIdentifier) {
            releaseIdentifier(cid);
        }
    }

    /** Frees the identifier of a command that goes on. */
    void releaseIdentifier(int cid) {
        cids[cid >>> 6] &= ~(1L << cid);
    }

    /** Returns the number of commands that are being fetched, or were fetched and are not over. */
    int inFlight() {
        return inFlight;
    }

    /** Returns whether the queue is being deleted, so that nothing is fetched any more. */
    boolean deleting() {
        return deleting;
    }

    void delete() {
        deleting = true;
    }
}
