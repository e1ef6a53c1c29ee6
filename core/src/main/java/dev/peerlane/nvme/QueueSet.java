package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The I/O queue pairs of a controller. The controller may know the memory of every pair in the set.
 * A pair leaves the set, and its memory is freed, when the controller has deleted both queues or
 * was stopped.
 */
final class QueueSet {
    private final String locator;
    private final DmaDomain dma;
    private final Lifecycle lifecycle;
    private final Admin admin;
    private final List<QueuePair> queues = new ArrayList<>();
    private final BitSet qids = new BitSet();
    private int limit;
    private @Nullable ShadowDoorbells shadow;

    QueueSet(String locator, DmaDomain dma, Lifecycle lifecycle, Admin admin) {
        this.locator = locator;
        this.dma = dma;
        this.lifecycle = lifecycle;
        this.admin = admin;
    }

    int limit() {
        return limit;
    }

    void limit(int newLimit) {
        limit = newLimit;
    }

    /**
     * Sets up shadow doorbells if the controller supports them, before any queue is created. If the
     * controller does not answer, it may still use them, so they stay allocated until it is
     * stopped.
     */
    void offerShadowDoorbells() {
        shadow = ShadowDoorbells.allocate(dma, lifecycle.cap().dstrd(), limit);
        if (shadow != null && !isTaken(shadow)) {
            freeShadow();
        }
    }

    private boolean isTaken(ShadowDoorbells offered) {
        AdminResult answer =
                admin.configureDoorbells(offered.busAddress(), offered.eventsBusAddress());
        return Status.isSuccess(answer.status());
    }

    private void freeShadow() {
        if (shadow != null) {
            shadow.free();
            shadow = null;
        }
    }

    boolean holds(QueuePair q) {
        return queues.contains(q);
    }

    QueuePair create(int depth) {
        if (depth < 1) {
            throw new IllegalArgumentException("depth " + depth);
        }
        int qid = qids.nextClearBit(1);
        if (qid > limit) {
            throw PeerlaneException.machine(
                    "no-queue-pair",
                    "%s: all %d I/O queue pairs are in use".formatted(locator, limit),
                    "close a port, or open the controller with more queue pairs");
        }
        // Entries are a power of two, so the longest ring may be shorter than the controller
        // allows.
        int longest = Integer.highestOneBit(lifecycle.cap().maxQueueEntries());
        int most = Math.min(depth, Math.min(QueuePair.MAX_DEPTH, longest - 1));
        if (shadow != null) {
            shadow.clear(qid);
        }
        QueuePair q =
                new QueuePair(
                        lifecycle.registers(), dma, shadow, lifecycle.cap().dstrd(), qid, most);
        queues.add(q);
        qids.set(qid);
        boolean cqExists = false;
        try {
            int cdw10 = AdminCommand.createQueueCdw10(qid, q.entries());
            int cqCdw11 = AdminCommand.createCqCdw11(true, false, 0);
            admin(AdminOpcode.CREATE_IO_CQ, q.cqBusAddress(), cdw10, cqCdw11);
            cqExists = true;
            int sqCdw11 = AdminCommand.createSqCdw11(true, 0, qid);
            admin(AdminOpcode.CREATE_IO_SQ, q.sqBusAddress(), cdw10, sqCdw11);
            return q;
        } catch (NvmeStatusException e) {
            undo(q, cqExists, e);
            throw e;
        }
    }

    private void admin(int opcode, long data, int... cdw10to15) {
        admin.mustSucceed(opcode, 0, data, cdw10to15);
    }

    private void undo(QueuePair q, boolean cqExists, NvmeStatusException why) {
        try {
            if (cqExists) {
                admin(AdminOpcode.DELETE_IO_CQ, 0, AdminCommand.deleteQueueCdw10(q.qid()));
            }
            release(q);
        } catch (PeerlaneException e) {
            // the pair's memory stays allocated until the controller is stopped
            why.addSuppressed(e);
        }
    }

    private void release(QueuePair q) {
        queues.remove(q);
        qids.clear(q.qid());
        q.free();
    }

    /** Deletes a pair, submission queue first (5.6, 5.7), then frees its memory. */
    void delete(QueuePair q) {
        int cdw10 = AdminCommand.deleteQueueCdw10(q.qid());
        admin(AdminOpcode.DELETE_IO_SQ, 0, cdw10);
        admin(AdminOpcode.DELETE_IO_CQ, 0, cdw10);
        release(q);
    }

    void deleteAll() {
        for (QueuePair q : List.copyOf(queues)) {
            delete(q);
        }
    }

    void killAll(ControllerFault why) {
        queues.forEach(q -> q.kill(why));
    }

    /** Frees all memory. Call this only when the controller is stopped. */
    void freeAll() {
        queues.forEach(QueuePair::free);
        queues.clear();
        qids.clear();
        freeShadow();
    }
}
