package dev.peerlane.sim;

import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Follows the queues of one controller from bus traffic alone (NVMe Base 2.0, 3.3 and 3.1.3):
 * doorbells, fetched entries, posted completions. It reports violations of the host and of the
 * controller separately.
 */
final class QueueAnalyzer {
    private static final int MASK = 0xffff;

    private final String name;
    private final int strideShift;
    private final Consumer<String> hostWrong;
    private final Consumer<String> deviceWrong;
    private final Map<Integer, Submission> submissions = new HashMap<>();
    private final Map<Integer, Completion> completions = new HashMap<>();

    /**
     * Admin commands in flight that create or delete queues: DW10, DW11 and PRP1 by command
     * identifier.
     */
    private final Map<Integer, Change> changes = new HashMap<>();

    private long asq;
    private long acq;
    private int aqa;
    private int cc;
    private boolean shadows;

    private record Change(int opcode, int cdw10, int cdw11, long prp1) {}

    private static final class Submission {
        private final long base;
        private final int entries;
        private final int cqid;
        private final Set<Integer> underWay = new HashSet<>();
        private int tail;
        private int fetched;
        private int reported;

        Submission(long base, int entries, int cqid) {
            this.base = base;
            this.entries = entries;
            this.cqid = cqid;
        }
    }

    private static final class Completion {
        private final long base;
        private final int entries;
        private int tail;
        private int head;
        private int phase = 1;

        Completion(long base, int entries) {
            this.base = base;
            this.entries = entries;
        }
    }

    /**
     * Starts with a disabled controller.
     *
     * @param doorbellStride CAP.DSTRD
     * @param hostWrong called with each violation of the host
     * @param deviceWrong called with each violation of the controller
     */
    QueueAnalyzer(
            String name,
            int doorbellStride,
            Consumer<String> hostWrong,
            Consumer<String> deviceWrong) {
        this.name = name;
        this.strideShift = 2 + doorbellStride;
        this.hostWrong = what -> hostWrong.accept(name + ": " + what);
        this.deviceWrong = what -> deviceWrong.accept(name + ": " + what);
    }

    /** Notes a reset of the controller, after which it has no queues. */
    void reset() {
        submissions.clear();
        completions.clear();
        changes.clear();
        shadows = false;
        cc = 0;
    }

    /** Notes a store that has arrived at a register. */
    void stored(long offset, long value, int width) {
        if (offset >= Reg.DOORBELLS) {
            rung(offset, (int) value, shadows);
            return;
        }
        switch ((int) offset) {
            case Reg.ASQ -> asq = width == 8 ? value : low(asq, value);
            case Reg.ASQ + 4 -> asq = high(asq, value);
            case Reg.ACQ -> acq = width == 8 ? value : low(acq, value);
            case Reg.ACQ + 4 -> acq = high(acq, value);
            case Reg.AQA -> aqa = (int) value;
            case Reg.CC -> configured((int) value);
            default -> {
                // no queue is concerned
            }
        }
    }

    /** Notes that a doorbell in memory has a new value. */
    void shadowed(long offset, int value) {
        if (!shadows) {
            deviceWrong.accept("doorbells in memory, which were never configured");
        }
        rung(offset, value, false);
    }

    /**
     * Handles a doorbell register. With doorbells in memory its value only tells the controller to
     * look there.
     */
    private void rung(long offset, int value, boolean calls) {
        int index = (int) ((offset - Reg.DOORBELLS) >>> strideShift);
        int qid = index >>> 1;
        boolean completion = (index & 1) != 0;
        boolean there = completion ? completions.containsKey(qid) : submissions.containsKey(qid);
        if (calls && qid > 0 && there) {
            return;
        }
        if (completion) {
            head(qid, value);
        } else {
            tail(qid, value);
        }
    }

    private static long low(long of, long value) {
        return (of & ~0xffff_ffffL) | value;
    }

    private static long high(long of, long value) {
        return (of & 0xffff_ffffL) | value << 32;
    }

    private void configured(int value) {
        boolean was = new Cc(cc).en();
        cc = value;
        boolean is = new Cc(value).en();
        if (was && !is) {
            reset();
        } else if (!was && is) {
            Aqa sizes = new Aqa(aqa);
            submissions.put(0, new Submission(asq, sizes.submissionEntries(), 0));
            completions.put(0, new Completion(acq, sizes.completionEntries()));
        }
    }

    private void tail(int qid, int value) {
        Submission queue = submissions.get(qid);
        if (queue == null) {
            hostWrong.accept("tail doorbell of queue %d, which does not exist".formatted(qid));
            return;
        }
        int added = Math.floorMod(value - queue.tail, queue.entries);
        int room = queue.entries - 1 - Math.floorMod(queue.tail - queue.reported, queue.entries);
        if (value < 0 || value >= queue.entries || added == 0 || added > room) {
            hostWrong.accept(
                    "tail %d of queue %d: it was %d, %d entries were free"
                            .formatted(value, qid, queue.tail, room));
        }
        queue.tail = value;
    }

    private void head(int qid, int value) {
        Completion queue = completions.get(qid);
        if (queue == null) {
            hostWrong.accept("head doorbell of queue %d, which does not exist".formatted(qid));
            return;
        }
        int taken = Math.floorMod(value - queue.head, queue.entries);
        int there = Math.floorMod(queue.tail - queue.head, queue.entries);
        if (value < 0 || value >= queue.entries || taken == 0 || taken > there) {
            hostWrong.accept(
                    "head %d of completion queue %d: it was %d, %d entries were there"
                            .formatted(value, qid, queue.head, there));
        }
        queue.head = value;
    }

    /** Checks a submission queue entry that the controller has read. */
    void fetched(int qid, long address, MemorySegment sqe) {
        Submission queue = submissions.get(qid);
        if (queue == null) {
            deviceWrong.accept("an entry of queue %d, which does not exist".formatted(qid));
            return;
        }
        if (queue.fetched == queue.tail) {
            deviceWrong.accept("queue %d is empty and was read".formatted(qid));
        }
        if (address != queue.base + (long) queue.fetched * Sqe.BYTES) {
            deviceWrong.accept("queue %d was read at 0x%x".formatted(qid, address));
        }
        queue.fetched = (queue.fetched + 1) % queue.entries;
        int cid = Sqe.cid(sqe, 0);
        if (!queue.underWay.add(cid)) {
            hostWrong.accept("command identifier %d of queue %d is in use".formatted(cid, qid));
        }
        if (qid == 0) {
            changes.put(
                    cid,
                    new Change(
                            Sqe.opcode(sqe, 0),
                            Sqe.cdw10(sqe, 0),
                            Sqe.cdw11(sqe, 0),
                            Sqe.prp1(sqe, 0)));
        }
    }

    /** Checks a completion that the controller posts. */
    void posted(long address, MemorySegment cqe) {
        long dw23 = Cqe.dw23(cqe, 0);
        int sqid = Cqe.sqidOf(dw23);
        int cid = Cqe.cidOf(dw23);
        Submission queue = submissions.get(sqid);
        Completion into = queue == null ? null : completions.get(queue.cqid);
        if (queue == null || into == null) {
            deviceWrong.accept("a completion for queue %d, which does not exist".formatted(sqid));
            return;
        }
        if (address != into.base + (long) into.tail * Cqe.BYTES) {
            deviceWrong.accept("a completion at 0x%x".formatted(address));
        }
        if ((into.tail + 1) % into.entries == into.head) {
            deviceWrong.accept("completion queue %d overflows".formatted(queue.cqid));
        }
        if (Cqe.phaseOf(dw23) != into.phase) {
            deviceWrong.accept(
                    "a completion in queue %d has the wrong phase".formatted(queue.cqid));
        }
        into.tail++;
        if (into.tail == into.entries) {
            into.tail = 0;
            into.phase ^= 1;
        }
        int head = Cqe.sqhdOf(dw23) & MASK;
        int gone = Math.floorMod(head - queue.reported, queue.entries);
        if (head >= queue.entries
                || gone > Math.floorMod(queue.tail - queue.reported, queue.entries)) {
            deviceWrong.accept("head pointer %d of queue %d moves back".formatted(head, sqid));
        } else {
            queue.reported = head;
        }
        if (!queue.underWay.remove(cid)) {
            deviceWrong.accept(
                    "a completion of %d in queue %d, not under way".formatted(cid, sqid));
        } else if (sqid == 0) {
            changed(changes.remove(cid), Cqe.statusOf(dw23));
        }
    }

    private void changed(@Nullable Change change, int status) {
        if (change == null || status != 0) {
            return;
        }
        int qid = AdminCommand.qid(change.cdw10);
        int entries = AdminCommand.qsizeZ(change.cdw10) + 1;
        switch (change.opcode) {
            case AdminOpcode.CREATE_IO_CQ ->
                    completions.put(qid, new Completion(change.prp1, entries));
            case AdminOpcode.CREATE_IO_SQ ->
                    submissions.put(
                            qid,
                            new Submission(change.prp1, entries, AdminCommand.cqid(change.cdw11)));
            case AdminOpcode.DOORBELL_BUFFER_CONFIG -> shadows = true;
            case AdminOpcode.DELETE_IO_SQ -> submissions.remove(qid);
            case AdminOpcode.DELETE_IO_CQ -> {
                boolean used = submissions.values().stream().anyMatch(s -> s.cqid == qid);
                if (used) {
                    hostWrong.accept("completion queue %d is deleted in use".formatted(qid));
                }
                completions.remove(qid);
            }
            default -> {
                // no queue is concerned
            }
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
