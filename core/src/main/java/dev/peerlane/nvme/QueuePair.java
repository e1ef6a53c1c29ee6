package dev.peerlane.nvme;

import dev.peerlane.Bits;
import dev.peerlane.block.Completions;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.mem.Dma;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A submission queue and its completion queue in host memory (NVMe Base 2.0, 3.3).
 *
 * <p>{@link #post} puts commands in the ring, {@link #ring} announces all of them with one doorbell
 * write, and {@link #poll} takes completions and frees their entries with another doorbell write.
 * Nothing is allocated for a command.
 *
 * <p>A command identifier consists of an index into a table and a sequence number. So a completion
 * that is stale, duplicate or belongs to no command is detected: it raises a {@link
 * ControllerFault}, after which the pair takes no more commands.
 *
 * <p>The thread that created the pair owns it and makes every call. A call by another thread is
 * refused before it does anything.
 */
public final class QueuePair {
    /**
     * The maximum number of commands in flight of one pair. It leaves 6 bits for the sequence
     * number.
     */
    public static final int MAX_DEPTH = 1023;

    private static final int SQE_SHIFT = 6;
    private static final int CQE_SHIFT = 4;
    private static final long PHASE_BIT = 1L << 48;
    private static final int CID_MASK = 0xffff;
    private static final int NONE = -1;

    /** The cookie of a tag with no command in flight. */
    private static final int IDLE = Integer.MIN_VALUE;

    /** When a fault was noticed, for its message. */
    static final String IN_FLIGHT = "while commands were in flight";

    /** The number of empty polls between two looks at the clock. */
    private static final int POLLS_TO_CLOCK = 256;

    private static final long SQE_CDW0 = Sqe.CDW0;
    private static final long SQE_CDW2 = Sqe.CDW2;
    private static final long SQE_MPTR = Sqe.MPTR;
    private static final long SQE_PRP1 = Sqe.PRP1;
    private static final long SQE_PRP2 = Sqe.PRP2;
    private static final long SQE_CDW10 = Sqe.CDW10;
    private static final long SQE_CDW12 = Sqe.CDW12;
    private static final long SQE_CDW14 = Sqe.CDW14;
    private static final long CQE_DW0 = Cqe.DW0;
    private static final long CQE_DW23 = Cqe.DW2;

    /**
     * A place for a command in flight. One object instead of four arrays saves three bounds checks.
     */
    private static final class Tag {
        private int word; // bits 47:16 of the last command's completion: identifier and queue
        private int cookie = IDLE;
        private int postedAt;
        private int nextFree; // free tags form a stack

        Tag(int word, int nextFree) {
            this.word = word;
            this.nextFree = nextFree;
        }
    }

    private final String locator;
    private final Registers registers;
    private final SilenceWatch watch;
    private final int qid;
    private final int mask; // entries of a ring, a power of two, minus one
    private final int depth;
    private final int tagMask; // the bits of an identifier that hold the tag
    private final int nextSequence;
    private final DmaBuffer memory;
    private final long sqBase;
    private final long cqBase;
    private final long cqBusAddress;
    private final Doorbell sqTail;
    private final Doorbell cqHead;
    private final OwnerThread creator = new OwnerThread();

    private final Tag[] tags;
    private int firstFree;

    // Counts of commands. The index into a ring is a count modulo the ring's entries.
    private int posted;
    private int rung;
    private int taken;
    private int rungTaken;
    private long phaseBit = PHASE_BIT;
    private int emptyPolls;
    private @Nullable Thread owner; // null when the pair has ended, so that one check covers both
    private boolean retired;
    private @Nullable ControllerFault fault;

    /**
     * Allocates the rings. The controller does not know them yet.
     *
     * @param shadow the doorbells in memory, or null to use registers only
     * @param depth maximum number of commands in flight; each ring has at least one entry more,
     *     rounded up to a power of two
     */
    QueuePair(
            Registers registers,
            DmaDomain dma,
            @Nullable ShadowDoorbells shadow,
            int dstrd,
            int qid,
            int depth) {
        this.locator = registers.locator();
        this.registers = registers;
        this.watch = new SilenceWatch(registers);
        this.qid = qid;
        this.depth = depth;
        if (depth < 1 || depth > MAX_DEPTH) {
            throw new IllegalArgumentException("queue of depth %d".formatted(depth));
        }
        int entries = Integer.highestOneBit(depth) << 1;
        this.mask = entries - 1;
        // One more than the depth, so that no identifier is FFFFh, which means "no command".
        int tagCount = entries;
        tagMask = tagCount - 1;
        nextSequence = tagCount << 16;
        int sqAt = Reg.sqTailDoorbell(qid, dstrd);
        int cqAt = Reg.cqHeadDoorbell(qid, dstrd);
        Doorbell sqRegister = registers.doorbell(sqAt);
        Doorbell cqRegister = registers.doorbell(cqAt);
        this.sqTail = shadow == null ? sqRegister : shadow.of(sqAt, sqRegister);
        this.cqHead = shadow == null ? cqRegister : shadow.of(cqAt, cqRegister);
        tags = new Tag[tagCount];
        for (int tag = 0; tag < depth; tag++) {
            tags[tag] = new Tag(tag << 16 | qid, tag + 1 == depth ? NONE : tag + 1);
        }
        Arrays.fill(tags, depth, tagCount, new Tag(qid, NONE));
        int page = dma.pageBytes();
        long cqOffset = Bits.roundUp((long) entries << SQE_SHIFT, page);
        memory = dma.allocate(cqOffset + ((long) entries << CQE_SHIFT));
        sqBase = Dma.checkBase(memory.address());
        cqBase = Dma.checkBase(memory.address() + cqOffset);
        cqBusAddress = memory.busAddress() + cqOffset;
        owner = Thread.currentThread();
    }

    /** Returns the name for messages, such as {@code emu:ssd0: queue 1}. */
    @Override
    public String toString() {
        return locator + ": queue " + qid;
    }

    /** Returns the queue identifier, 0 for the admin queues. */
    public int qid() {
        return qid;
    }

    /** Returns the maximum number of commands in flight. */
    public int depth() {
        return depth;
    }

    /** Returns the number of commands that are in flight or posted. */
    public int inFlight() {
        return isAlive() ? posted - taken : 0;
    }

    /**
     * Returns the number of commands without an answer, also after the pair has ended. The
     * controller may be executing them until the pair is deleted or the controller is stopped.
     */
    int unanswered() {
        return posted - taken;
    }

    /** Returns whether the pair takes commands. */
    public boolean isAlive() {
        return owner != null;
    }

    /** Returns why the pair ended, or empty if it has not. */
    Optional<ControllerFault> fault() {
        return Optional.ofNullable(fault);
    }

    int entries() {
        return mask + 1;
    }

    long sqBusAddress() {
        return memory.busAddress();
    }

    long cqBusAddress() {
        return cqBusAddress;
    }

    /**
     * Puts a command into the ring. The device sees nothing before {@link #ring}.
     *
     * <p>If the command is a Read into memory of another device, completion does not mean arrival.
     * A {@link dev.peerlane.copy.ReadFence} tells when the data has arrived.
     *
     * @param cdw0to1 command dwords 0 (low half), without the identifier, and 1: {@link
     *     Sqe#cdw0to1}
     * @param prp1 first PRP entry, or the first half of an SGL descriptor
     * @param prp2 second PRP entry, or the second half of an SGL descriptor
     * @param cdw10to11 command dwords 10 (low half) and 11
     * @param cdw12 command dword 12
     * @param cookie the value that {@link #poll} passes on as the slot; not {@link #IDLE}
     * @return the command's tag, or -1 if {@link #depth} commands are in flight
     * @throws IllegalStateException if another thread calls; nothing was posted then
     */
    public int post(long cdw0to1, long prp1, long prp2, long cdw10to11, int cdw12, int cookie) {
        // Check before the first store: the owner's next doorbell would send a posted command, and
        // removing it would race with the owner's next command.
        if (Thread.currentThread() != owner) {
            throw refusal();
        }
        int tag = firstFree;
        Tag[] all = tags;
        // NONE; makes the array's own bounds check redundant
        if (Integer.compareUnsigned(tag, all.length) >= 0) {
            return -1;
        }
        Tag known = all[tag];
        firstFree = known.nextFree;
        int word = known.word + nextSequence;
        known.word = word;
        known.cookie = cookie;
        int count = posted;
        known.postedAt = count;
        posted = count + 1;
        long base = sqBase;
        long sqe = Integer.toUnsignedLong(count & mask) << SQE_SHIFT;
        long cid = Integer.toUnsignedLong(word & ~CID_MASK);
        Dma.storeLong(base, sqe + SQE_CDW0, cid | cdw0to1);
        Dma.storeLong(base, sqe + SQE_CDW2, 0L);
        Dma.storeLong(base, sqe + SQE_MPTR, 0L);
        Dma.storeLong(base, sqe + SQE_PRP1, prp1);
        Dma.storeLong(base, sqe + SQE_PRP2, prp2);
        Dma.storeLong(base, sqe + SQE_CDW10, cdw10to11);
        Dma.storeLong(base, sqe + SQE_CDW12, Integer.toUnsignedLong(cdw12));
        Dma.storeLong(base, sqe + SQE_CDW14, 0L);
        return tag;
    }

    /** Sets dwords 13 to 15 of the last posted command, which {@link #post} leaves 0. */
    void amend(int cdw13, int cdw14, int cdw15) {
        if (Thread.currentThread() != owner) {
            throw refusal();
        }
        long sqe = sqBase + ((long) ((posted - 1) & mask) << SQE_SHIFT);
        Dma.storeInt(sqe, Sqe.CDW13, cdw13);
        Dma.storeInt(sqe, Sqe.CDW14, cdw14);
        Dma.storeInt(sqe, Sqe.CDW15, cdw15);
    }

    /** Announces all commands posted since the last call, with one doorbell write. */
    public void ring() {
        if (Thread.currentThread() != owner) {
            throw refusal();
        }
        int count = posted;
        if (rung != count) {
            rung = count;
            sqTail.ring(count & mask);
        }
    }

    /**
     * Takes completions that have arrived and frees their entries with one doorbell write. Never
     * waits.
     *
     * @param max maximum number of completions to take
     * @param completions called with each command's cookie and status
     * @return the number of completions taken
     * @throws ControllerFault if the controller sent an invalid completion; or if commands in
     *     flight had not ended for a second and the controller was found to be gone or to have
     *     failed
     */
    public int poll(int max, Completions completions) {
        if (Thread.currentThread() != owner) {
            return notPolled();
        }
        int n = 0;
        while (n < max) {
            int count = taken;
            long cqe = Integer.toUnsignedLong(count & mask) << CQE_SHIFT;
            long dw23 = Dma.loadLongAcquire(cqBase, cqe + CQE_DW23);
            if ((dw23 & PHASE_BIT) != phaseBit) {
                break;
            }
            int cookie = take(dw23);
            // Before the call, so that a callback that throws leaves the ring consistent.
            taken = ++count;
            if ((count & mask) == 0) {
                phaseBit ^= PHASE_BIT;
            }
            n++;
            int status = Cqe.statusOf(dw23);
            if (status != 0) {
                Incidents.command(locator, qid, status);
            }
            completions.completed(cookie, status);
            if (owner == null) {
                return n;
            }
        }
        int count = taken;
        if (rungTaken != count) {
            rungTaken = count;
            cqHead.ring(count & mask);
        } else if (n == 0) {
            idle();
        }
        return n;
    }

    /** Ends the command of a completion and returns its cookie. */
    private int take(long dw23) {
        int word = (int) (dw23 >>> 16);
        Tag[] all = tags;
        int tag = (word >>> 16) & tagMask;
        Tag known = all[tag];
        int cookie = known.cookie;
        if (known.word != word || cookie == IDLE) {
            throw unknown(dw23);
        }
        int sqhd = (int) dw23 & 0xffff;
        int behind = (rung - sqhd) & mask;
        // When the completion was made, the head was past this command but not past the doorbell.
        if (sqhd > mask || behind >= rung - known.postedAt) {
            throw badPlace(dw23);
        }
        known.cookie = IDLE;
        known.nextFree = firstFree;
        firstFree = tag;
        return cookie;
    }

    /**
     * Returns dword 0 of the completion that is being delivered. Valid only inside the callback.
     */
    public int dw0() {
        return Dma.loadInt(cqBase + ((long) ((taken - 1) & mask) << CQE_SHIFT), CQE_DW0);
    }

    private void idle() {
        if (++emptyPolls >= POLLS_TO_CLOCK) {
            emptyPolls = 0;
            health(false);
        }
    }

    /** Reads CSTS. If the controller is gone or has failed, ends this pair and throws the fault. */
    void checkHealth() {
        health(true);
    }

    private void health(boolean atOnce) {
        try {
            if (atOnce) {
                registers.checkHealth(IN_FLIGHT);
            } else {
                watch.look(taken, inFlight() > 0);
            }
        } catch (ControllerFault e) {
            kill(e);
            throw e;
        }
    }

    /** Returns whether the command with this tag is in flight and has this cookie. */
    boolean holds(int tag, int cookie) {
        return tags[tag].cookie == cookie;
    }

    /** Returns the identifier of the command in flight with this tag. */
    int cid(int tag) {
        return tags[tag].word >>> 16;
    }

    /**
     * Ends the pair: it takes no more commands and throws {@code why}. Its memory stays allocated.
     */
    void kill(ControllerFault why) {
        if (isAlive()) {
            Incidents.fault(why);
            owner = null;
            firstFree = NONE;
            fault = why;
            for (Tag tag : tags) {
                tag.cookie = IDLE;
            }
        }
    }

    /** Frees the rings. Call this only when the controller can no longer access them. */
    void free() {
        kill(ControllerFault.stopped(locator, "queue " + qid + " was deleted"));
        taken = posted;
        memory.close();
    }

    /**
     * Retires the pair after its last command: {@link #poll} then finds nothing instead of
     * throwing.
     */
    void retire() {
        retired = true;
    }

    private int notPolled() {
        if (retired && creator.isCurrent()) {
            return 0;
        }
        throw refusal();
    }

    private RuntimeException refusal() {
        if (!creator.isCurrent()) {
            return creator.refusal(this);
        }
        return fault != null ? fault : ControllerFault.stopped(locator, "queue " + qid + " ended");
    }

    private ControllerFault unknown(long dw23) {
        int cid = Cqe.cidOf(dw23);
        int place = cid & tagMask;
        Tag tag = tags[place];
        if (Cqe.sqidOf(dw23) != qid) {
            return badPlace(dw23);
        }
        String known =
                place >= depth
                        ? "no such command exists"
                        : tag.cookie != IDLE
                                ? "the command in that place is %04Xh".formatted(tag.word >>> 16)
                                : "no such command is in flight (stale or duplicate)";
        return nonsense(
                "queue %d: completion with command identifier %04Xh: %s"
                        .formatted(qid, cid, known));
    }

    private ControllerFault badPlace(long dw23) {
        return nonsense(
                "queue %d: completion of command %04Xh names queue %d and head %d; tail %d of %d"
                        .formatted(
                                qid,
                                Cqe.cidOf(dw23),
                                Cqe.sqidOf(dw23),
                                Cqe.sqhdOf(dw23),
                                rung & mask,
                                mask + 1));
    }

    private ControllerFault nonsense(String what) {
        ControllerFault e = ControllerFault.nonsense(locator, what);
        kill(e);
        return e;
    }
}
