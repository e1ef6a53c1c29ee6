package dev.peerlane.emulator.controller;

import dev.peerlane.spec.AsyncEvent;
import org.jspecify.annotations.Nullable;

/**
 * Takes the values of doorbells, whether they arrive in a register, in memory that the host shares,
 * or in the shadow doorbells.
 */
final class Doorbells {
    /** What the doorbells require of their controller. */
    interface Host {
        /** Returns whether doorbells may be written now. */
        boolean takesDoorbells();

        /** Called when the host violates the specification. */
        void violation(String what);

        /**
         * Called when a doorbell write is invalid, which is reported to the host (NVMe Base 2.0,
         * fig. 146).
         */
        void invalidDoorbell(int info);
    }

    private final Host host;
    private final Queues queues;
    private final ShadowReader shadows;
    private final CommandCounts statistics;
    private final DoorbellListener inMemory = this::written;
    private final DoorbellListener inShadow = this::moved;
    private @Nullable DoorbellMemory memory;

    Doorbells(Host host, Queues queues, ShadowReader shadows, CommandCounts statistics) {
        this.host = host;
        this.queues = queues;
        this.shadows = shadows;
        this.statistics = statistics;
    }

    /** Also polls doorbells in memory that the host shares. */
    void watch(DoorbellMemory shared) {
        memory = shared;
    }

    /** Sets the doorbell of a new queue to 0, whatever the previous queue left behind. */
    void queueCreated(int qid, boolean completion) {
        if (memory != null) {
            memory.clear(qid, completion);
        }
        shadows.queueCreated(qid, completion);
    }

    /** Polls the memory that the host shares, if any. */
    void lookAtMemory() {
        if (memory != null) {
            memory.look(queues, inMemory);
        }
    }

    /**
     * Polls the shadow doorbells, unless they rest.
     *
     * @param busy whether commands are in flight
     * @return whether to poll again in the next turn
     */
    boolean lookAtShadows(boolean busy) {
        return shadows.look(queues, inShadow, busy);
    }

    /** Takes a doorbell write. */
    void written(int qid, boolean completion, int value) {
        statistics.doorbell();
        if (!host.takesDoorbells()) {
            host.violation("doorbell of queue %d was written while not ready".formatted(qid));
            return;
        }
        if (shadows.has(qid)) {
            shadows.wake();
        } else {
            moved(qid, completion, value);
        }
    }

    /** Handles an invalid doorbell write. */
    void invalid(int info, String what) {
        host.violation("invalid doorbell: " + what);
        host.invalidDoorbell(info);
    }

    private void moved(int qid, boolean completion, int value) {
        if (completion) {
            CompletionQueue queue = queues.completionQueue(qid);
            if (queue == null || !queue.ring(value)) {
                invalid(queue == null, "completion queue " + qid, value);
            } else {
                queues.taken(queue);
            }
            return;
        }
        SubmissionQueue queue = queues.submissionQueue(qid);
        if (queue == null || !queue.ring(value)) {
            invalid(queue == null, "submission queue " + qid, value);
        }
    }

    private void invalid(boolean absent, String queue, int value) {
        if (absent) {
            invalid(AsyncEvent.ERROR_INVALID_DOORBELL, "there is no " + queue);
        } else {
            invalid(AsyncEvent.ERROR_INVALID_DOORBELL_VALUE, queue + " can't take " + value);
        }
    }
}
