package dev.peerlane.nvme;

import dev.peerlane.block.Completions;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.mem.Dma;
import dev.peerlane.spec.Cqe;
import dev.peerlane.spec.Reg;
import dev.peerlane.spec.Sqe;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A submission queue and its completion queue in host memory (NVMe Base 2.0, 3.3).
 *
 * <p>{@link #post} puts commands in the ring, {@link #ring} tells the device of all of them with
 * one doorbell write, {@link #poll} takes completions and gives their places back with another. A
 * command identifier is a place in a table and a sequence number, so a completion that is stale,
 * duplicate or of no command at all is found out: it ends as a {@link ControllerFault}, after which
 * the pair takes no more commands. Nothing is allocated for a command. The thread that created the
 * pair owns it and makes every call; {@code ring} and {@code poll} check that.
 */
public final class QueuePair {
    /** Most commands that one pair can have in flight; leaves 6 bits for the sequence number. */
    public static final int MAX_DEPTH = 1023;

    private static final int SQE_SHIFT = 6;
    private static final int CQE_SHIFT = 4;
    private static final int PHASE_BIT = 1 << 16;
    private static final int CID_MASK = 0xffff;
    private static final int IDLE_POLLS_BEFORE_HEALTH = 4096;

    private static final long SQE_CDW0 = Sqe.CDW0;
    private static final long SQE_CDW2 = Sqe.CDW2;
    private static final long SQE_MPTR = Sqe.MPTR;
    private static final long SQE_PRP1 = Sqe.PRP1;
    private static final long SQE_PRP2 = Sqe.PRP2;
    private static final long SQE_CDW10 = Sqe.CDW10;
    private static final long SQE_CDW12 = Sqe.CDW12;
    private static final long SQE_CDW14 = Sqe.CDW14;
    private static final long CQE_DW0 = Cqe.DW0;
    private static final long CQE_DW2 = Cqe.DW2;
    private static final long CQE_DW3 = Cqe.CID;

    private final String locator;
    private final Registers registers;
    private final int qid;
    private final int entries;
    private final int depth;
    private final int tagMask;
    private final DmaBuffer memory;
    private final long sqBase;
    private final long cqBase;
    private final long cqBusAddress;
    private final Doorbell sqTail;
    private final Doorbell cqHead;
    private final Thread owner = Thread.currentThread();

    // By tag. A command identifier that is not in flight is stored inverted.
    private final int[] cidOf;
    private final int[] cookieOf;
    private final int[] postedAt;

    private final int[] free;
    private int freeTop;

    private int tail;
    private int posted;
    private int rungTail;
    private int rung;
    private int head;
    private int rungHead;
    private int phaseBit = PHASE_BIT;
    private int idlePolls;
    private boolean alive = true;
    private @Nullable ControllerFault fault;

    /** Allocates the rings; the controller knows nothing of them yet. */
    QueuePair(String locator, Registers registers, DmaDomain dma, int dstrd, int qid, int entries) {
        this.locator = locator;
        this.registers = registers;
        this.qid = qid;
        this.entries = entries;
        this.depth = entries - 1;
        if (depth < 1 || depth > MAX_DEPTH) {
            throw new IllegalArgumentException("queue of %d entries".formatted(entries));
        }
        // One more than the depth, so that no identifier is FFFFh, which means "no command".
        this.tagMask = (Integer.highestOneBit(depth) << 1) - 1;
        this.sqTail = registers.doorbell(Reg.sqTailDoorbell(qid, dstrd));
        this.cqHead = registers.doorbell(Reg.cqHeadDoorbell(qid, dstrd));
        cidOf = new int[depth];
        cookieOf = new int[depth];
        postedAt = new int[depth];
        free = new int[depth];
        for (int tag = 0; tag < depth; tag++) {
            cidOf[tag] = ~tag;
            free[depth - 1 - tag] = tag;
        }
        freeTop = depth;
        int page = dma.pageBytes();
        long cqOffset = roundUp((long) entries << SQE_SHIFT, page);
        memory = dma.allocate(cqOffset + ((long) entries << CQE_SHIFT));
        sqBase = Dma.checkBase(memory.address());
        cqBase = Dma.checkBase(memory.address() + cqOffset);
        cqBusAddress = memory.busAddress() + cqOffset;
    }

    private static long roundUp(long value, long powerOfTwo) {
        return (value + powerOfTwo - 1) & -powerOfTwo;
    }

    /** Returns the queue identifier, 0 for the admin queues. */
    public int qid() {
        return qid;
    }

    /** Returns how many commands can be in flight: one less than the entries of the ring. */
    public int depth() {
        return depth;
    }

    /** Returns how many commands are in flight or posted. */
    public int inFlight() {
        return alive ? depth - freeTop : 0;
    }

    /** Returns whether the pair takes commands. */
    public boolean isAlive() {
        return alive;
    }

    /** Returns why the pair ended, if it did. */
    Optional<ControllerFault> fault() {
        return Optional.ofNullable(fault);
    }

    int entries() {
        return entries;
    }

    long sqBusAddress() {
        return memory.busAddress();
    }

    long cqBusAddress() {
        return cqBusAddress;
    }

    /**
     * Puts a command into the ring; nothing reaches the device before {@link #ring}.
     *
     * @param opcode opcode, 0 to 255
     * @param nsid namespace identifier
     * @param prp1 first PRP entry
     * @param prp2 second PRP entry
     * @param cdw10to11 command dwords 10 (low half) and 11
     * @param cdw12 command dword 12
     * @param cookie what {@link #poll} shall hand back as the slot
     * @return the command's tag, or -1 if {@link #depth} commands are in flight
     */
    public int post(
            int opcode, int nsid, long prp1, long prp2, long cdw10to11, int cdw12, int cookie) {
        int top = freeTop;
        if (top == 0) {
            return full();
        }
        freeTop = --top;
        int tag = free[top];
        int cid = (~cidOf[tag] + tagMask + 1) & CID_MASK;
        cidOf[tag] = cid;
        cookieOf[tag] = cookie;
        postedAt[tag] = posted++;
        int at = tail;
        long sqe = sqBase + ((long) at << SQE_SHIFT);
        long cdw0 = Integer.toUnsignedLong((cid << 16) | opcode);
        Dma.storeLong(sqe, SQE_CDW0, cdw0 | ((long) nsid << 32));
        Dma.storeLong(sqe, SQE_CDW2, 0L);
        Dma.storeLong(sqe, SQE_MPTR, 0L);
        Dma.storeLong(sqe, SQE_PRP1, prp1);
        Dma.storeLong(sqe, SQE_PRP2, prp2);
        Dma.storeLong(sqe, SQE_CDW10, cdw10to11);
        Dma.storeLong(sqe, SQE_CDW12, Integer.toUnsignedLong(cdw12));
        Dma.storeLong(sqe, SQE_CDW14, 0L);
        tail = at + 1 == entries ? 0 : at + 1;
        return tag;
    }

    /** Sets the dwords of the command posted last that {@link #post} leaves 0. */
    void amend(int cdw13, int cdw14, int cdw15) {
        int last = tail == 0 ? entries - 1 : tail - 1;
        long sqe = sqBase + ((long) last << SQE_SHIFT);
        Dma.storeInt(sqe, Sqe.CDW13, cdw13);
        Dma.storeInt(sqe, Sqe.CDW14, cdw14);
        Dma.storeInt(sqe, Sqe.CDW15, cdw15);
    }

    private int full() {
        if (!alive) {
            throw refusal();
        }
        return -1;
    }

    /** Tells the device of all commands posted since the last call, with one doorbell write. */
    public void ring() {
        if (!alive || Thread.currentThread() != owner) {
            throw refusal();
        }
        if (rung != posted) {
            rung = posted;
            rungTail = tail;
            sqTail.ring(tail);
        }
    }

    /**
     * Takes completions that have arrived. Gives their places back with one doorbell write.
     *
     * @param max how many at most
     * @param completions called with each command's cookie and status
     * @return how many there were
     * @throws ControllerFault if the controller answered nonsense; now and then, while nothing
     *     arrives, its health is checked too
     */
    public int poll(int max, Completions completions) {
        if (!alive || Thread.currentThread() != owner) {
            throw refusal();
        }
        int n = 0;
        while (n < max) {
            long cqe = cqBase + ((long) head << CQE_SHIFT);
            int dw3 = Dma.loadIntAcquire(cqe, CQE_DW3);
            if ((dw3 & PHASE_BIT) != phaseBit) {
                break;
            }
            int tag = take(cqe, dw3);
            // Before the call, so that a callback which throws leaves the ring as it should be.
            int next = head + 1;
            if (next == entries) {
                next = 0;
                phaseBit ^= PHASE_BIT;
            }
            head = next;
            n++;
            completions.completed(cookieOf[tag], dw3 >>> 17);
            if (!alive) {
                return n;
            }
        }
        if (head != rungHead) {
            rungHead = head;
            cqHead.ring(rungHead);
        } else if (n == 0) {
            idle();
        }
        return n;
    }

    private int take(long cqe, int dw3) {
        int cid = dw3 & CID_MASK;
        int tag = cid & tagMask;
        if (tag >= depth || cidOf[tag] != cid) {
            throw unknownCid(cid);
        }
        int dw2 = Dma.loadInt(cqe, CQE_DW2);
        int sqhd = dw2 & 0xffff;
        int behind = rungTail - sqhd;
        behind += (behind >> 31) & entries;
        // The head was beyond this command when the entry was made, and not beyond the doorbell.
        if (dw2 >>> 16 != qid || sqhd >= entries || behind > rung - postedAt[tag] - 1) {
            throw badPlace(cid, dw2);
        }
        cidOf[tag] = ~cid;
        free[freeTop++] = tag;
        return tag;
    }

    /** Returns dword 0 of the completion that is being delivered. For use in the callback only. */
    public int dw0() {
        int last = head == 0 ? entries - 1 : head - 1;
        return Dma.loadInt(cqBase + ((long) last << CQE_SHIFT), CQE_DW0);
    }

    private void idle() {
        if (++idlePolls >= IDLE_POLLS_BEFORE_HEALTH) {
            idlePolls = 0;
            if (inFlight() > 0) {
                checkHealth();
            }
        }
    }

    /** Reads CSTS; a controller that is gone or has failed ends this pair and is thrown. */
    void checkHealth() {
        try {
            registers.checkHealth("while commands were in flight");
        } catch (ControllerFault e) {
            kill(e);
            throw e;
        }
    }

    /** Returns whether the command with this tag is in flight and carries this cookie. */
    boolean holds(int tag, int cookie) {
        return cidOf[tag] >= 0 && cookieOf[tag] == cookie && alive;
    }

    /** Returns the identifier of the command in flight with this tag. */
    int cid(int tag) {
        return cidOf[tag];
    }

    /** Ends the pair: it takes no more commands, and says why. Its memory stays allocated. */
    void kill(ControllerFault why) {
        if (alive) {
            alive = false;
            freeTop = 0;
            fault = why;
            Arrays.fill(cidOf, -1);
        }
    }

    /** Gives the rings back. Only when the controller can't reach them any more. */
    void free() {
        kill(ControllerFault.stopped(locator, "queue " + qid + " was deleted"));
        memory.close();
    }

    private RuntimeException refusal() {
        if (Thread.currentThread() != owner) {
            return new IllegalStateException(
                    "%s: queue %d belongs to thread %s, not to %s"
                            .formatted(
                                    locator,
                                    qid,
                                    owner.getName(),
                                    Thread.currentThread().getName()));
        }
        return fault != null ? fault : ControllerFault.stopped(locator, "queue " + qid + " ended");
    }

    private ControllerFault unknownCid(int cid) {
        int tag = cid & tagMask;
        String known =
                tag < depth && cidOf[tag] < 0
                        ? "no such command is in flight (stale or duplicate)"
                        : tag < depth
                                ? "the command in that place is %04Xh".formatted(cidOf[tag])
                                : "no such command exists";
        return nonsense(
                "queue %d: completion with command identifier %04Xh: %s"
                        .formatted(qid, cid, known));
    }

    private ControllerFault badPlace(int cid, int dw2) {
        return nonsense(
                "queue %d: completion of command %04Xh names queue %d and head %d; tail %d of %d"
                        .formatted(qid, cid, dw2 >>> 16, dw2 & 0xffff, rungTail, entries));
    }

    private ControllerFault nonsense(String what) {
        ControllerFault e = ControllerFault.nonsense(locator, what);
        kill(e);
        return e;
    }
}
