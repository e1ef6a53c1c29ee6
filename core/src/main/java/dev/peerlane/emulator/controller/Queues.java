package dev.peerlane.emulator.controller;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** All queues of a controller, by identifier. */
final class Queues {
    private final Msix interrupts;
    private final @Nullable SubmissionQueue[] submission;
    private final @Nullable CompletionQueue[] completion;
    private int limit;

    Queues(int ioQueues, Msix interrupts) {
        this.interrupts = interrupts;
        this.submission = new SubmissionQueue[ioQueues + 1];
        this.completion = new CompletionQueue[ioQueues + 1];
    }

    /** Returns one more than the highest identifier in use. */
    int limit() {
        return limit;
    }

    private void count() {
        limit = submission.length;
        while (limit > 0 && submission[limit - 1] == null && completion[limit - 1] == null) {
            limit--;
        }
    }

    @Nullable SubmissionQueue[] submissionQueues() {
        return submission;
    }

    @Nullable SubmissionQueue submissionQueue(int qid) {
        return qid < submission.length ? submission[qid] : null;
    }

    @Nullable CompletionQueue completionQueue(int qid) {
        return qid < completion.length ? completion[qid] : null;
    }

    /** Adds a submission queue. */
    void add(SubmissionQueue queue) {
        submission[queue.qid()] = queue;
        count();
    }

    /** Adds a completion queue. */
    void add(CompletionQueue queue) {
        completion[queue.qid()] = queue;
        count();
    }

    /** Removes a submission queue. */
    void remove(SubmissionQueue queue) {
        submission[queue.qid()] = null;
        count();
    }

    /** Removes a completion queue. */
    void remove(CompletionQueue queue) {
        completion[queue.qid()] = null;
        count();
    }

    /** Removes all queues, as a reset does. */
    void reset() {
        Arrays.fill(submission, null);
        Arrays.fill(completion, null);
        count();
    }

    /** Notes that the host has taken entries: a pending interrupt of this queue may be obsolete. */
    void taken(CompletionQueue queue) {
        int vector = queue.vector();
        if (vector < 0 || !interrupts.isPending(vector)) {
            return;
        }
        for (CompletionQueue other : completion) {
            if (other != null && other.vector() == vector && !other.isEmpty()) {
                return;
            }
        }
        interrupts.satisfied(vector);
    }

    /** Returns whether there is an I/O completion queue. */
    boolean hasIoQueues() {
        for (int qid = 1; qid < completion.length; qid++) {
            if (completion[qid] != null) {
                return true;
            }
        }
        return false;
    }

    /** Returns the number of I/O submission queues. */
    int ioQueues() {
        int count = 0;
        for (int qid = 1; qid < submission.length; qid++) {
            count += submission[qid] == null ? 0 : 1;
        }
        return count;
    }
}
