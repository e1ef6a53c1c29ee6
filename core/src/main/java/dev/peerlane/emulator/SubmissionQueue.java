package dev.peerlane.emulator;

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

    /** Returns how many entries the host posted that were not fetched. */
    int waiting() {
        return Math.floorMod(tail - head, entries);
    }

    /** Takes a doorbell value; false if it can't be right (NVMe Base 2.0, 3.3.1.2.1). */
    boolean ring(int newTail) {
        if (newTail < 0 || newTail >= entries) {
            return false;
        }
        int posted = Math.floorMod(newTail - tail, entries);
        if (posted == 0 || posted > entries - 1 - waiting()) {
            return false;
        }
        tail = newTail;
        return true;
    }

    /** Moves the head past one entry and returns where that entry was. */
    int advance() {
        int at = head;
        head = head + 1 == entries ? 0 : head + 1;
        return at;
    }

    /** Takes a command identifier; false if a command in flight has it. */
    boolean take(int cid) {
        inFlight++;
        long bit = 1L << cid;
        boolean free = (cids[cid >>> 6] & bit) == 0;
        cids[cid >>> 6] |= bit;
        return free;
    }

    /** A command is over. */
    void release(int cid, boolean ownedIdentifier) {
        inFlight--;
        if (ownedIdentifier) {
            cids[cid >>> 6] &= ~(1L << cid);
        }
    }

    /** Returns how many commands were fetched and are not over. */
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
