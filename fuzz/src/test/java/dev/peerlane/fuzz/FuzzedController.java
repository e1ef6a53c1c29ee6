package dev.peerlane.fuzz;

import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Csts;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A minimal NVMe controller that answers correctly until its input says otherwise. Then registers,
 * Identify data, log pages and completions are arbitrary. Its true state is still tracked: whether
 * it is enabled, its queues, its outstanding commands. So it detects when the driver frees memory
 * that it may still write.
 */
final class FuzzedController implements FuzzedMemory.Watcher {
    static final int REGISTERS_LIE = 1;
    static final int COMPLETIONS_LIE = 2;
    static final int DATA_LIES = 4;
    private static final int COMMANDS_A_TURN = 4;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final Input input;
    private final int lies;
    private final Map<Integer, Queue> queues = new TreeMap<>();
    private final Map<Integer, Integer> registers = new TreeMap<>();
    private final Map<Integer, long[]> completionQueues = new TreeMap<>();
    private FuzzedMemory memory = new FuzzedMemory(this);
    private @Nullable FuzzedDevice device;
    private boolean enabled;
    private boolean fatal;
    private boolean gone;

    /** A submission queue with its completion queue and outstanding commands. */
    private static final class Queue {
        final long sq;
        final int sqEntries;
        final long cq;
        final int cqEntries;
        final List<long[]> unanswered = new ArrayList<>();
        int head;
        int tail;
        int cqTail;
        int phase = 1;

        Queue(long sq, int sqEntries, long cq, int cqEntries) {
            this.sq = sq;
            this.sqEntries = sqEntries;
            this.cq = cq;
            this.cqEntries = cqEntries;
        }
    }

    FuzzedController(Input input) {
        this.input = input;
        lies = input.int8();
        boolean modern = input.flag();
        registers.put(Reg.VS, modern ? 0x0001_0400 : 0x0001_0200);
        long cap = new Cap(0).raw() | 0x3f | 1L << 16 | 4L << 24 | 1L << 37;
        cap |= modern ? 1L << 57 : 0;
        registers.put(Reg.CAP, (int) cap);
        registers.put(Reg.CAP + 4, (int) (cap >>> 32));
        registers.put(Reg.CMBLOC, 2);
        registers.put(Reg.CMBSZ, 0x1f | 8 << 12);
        if ((lies & REGISTERS_LIE) != 0 && input.flag()) {
            for (int at : new int[] {Reg.CAP, Reg.CAP + 4, Reg.VS, Reg.CMBLOC, Reg.CMBSZ}) {
                registers.merge(at, input.int32(), (truth, mask) -> truth ^ mask);
            }
        }
    }

    void attach(FuzzedMemory newMemory, FuzzedDevice newDevice) {
        memory = newMemory;
        device = newDevice;
    }

    /** Returns a value, or occasionally a different one. */
    static int twist(Input input, int value) {
        int choice = input.int8();
        return switch (choice) {
            case 255, 254 -> input.int32();
            case 253 -> -1;
            case 252 -> 0;
            default -> choice < 240 ? value : value ^ 1 << (input.int8() & 31);
        };
    }

    int load(int offset) {
        if (gone) {
            return -1;
        }
        int value =
                switch (offset) {
                    case Reg.CSTS ->
                            new Csts(0)
                                    .withRdy(enabled)
                                    .withCfs(fatal)
                                    .withShst(shutDown() ? Csts.SHST_COMPLETE : 0)
                                    .raw();
                    default -> registers.getOrDefault(offset, 0);
                };
        return (lies & REGISTERS_LIE) != 0 ? twist(input, value) : value;
    }

    private Cc cc() {
        return new Cc(registers.getOrDefault(Reg.CC, 0));
    }

    private boolean shutDown() {
        return cc().shn() != 0;
    }

    void store(int offset, int value) {
        if (gone) {
            return;
        }
        if (offset >= Reg.DOORBELLS) {
            int index = (offset - Reg.DOORBELLS) / 4;
            Queue queue = queues.get(index / 2);
            if (index % 2 == 0 && queue != null) {
                queue.tail = Math.floorMod(value, queue.sqEntries);
            }
            return;
        }
        registers.put(offset, value);
        if (offset == Reg.CC) {
            configure(new Cc(value).en());
        }
    }

    private void configure(boolean enable) {
        if (enable && !enabled) {
            int aqa = registers.getOrDefault(Reg.AQA, 0);
            queues.put(
                    0,
                    new Queue(
                            address(Reg.ASQ),
                            (aqa & 0xfff) + 1,
                            address(Reg.ACQ),
                            (aqa >>> 16 & 0xfff) + 1));
        } else if (!enable) {
            reset();
        }
        enabled = enable;
    }

    private long address(int register) {
        return Integer.toUnsignedLong(registers.getOrDefault(register, 0))
                | (long) registers.getOrDefault(register + 4, 0) << 32;
    }

    void reset() {
        registers.remove(Reg.CC);
        queues.clear();
        completionQueues.clear();
        enabled = false;
        fatal = false;
    }

    @Override
    public void freed(long bus, long bytes) {
        if (!enabled || device == null || !device.isBusMaster()) {
            return;
        }
        for (Map.Entry<Integer, Queue> each : queues.entrySet()) {
            Queue q = each.getValue();
            if (overlaps(bus, bytes, q.sq) || overlaps(bus, bytes, q.cq)) {
                throw new AssertionError("queue " + each.getKey() + " lies in freed memory");
            }
            for (long[] command : q.unanswered) {
                if (overlaps(bus, bytes, command[1]) || overlaps(bus, bytes, command[2])) {
                    throw new AssertionError(
                            "freed memory of a command in flight on queue " + each.getKey());
                }
            }
        }
        for (long[] cq : completionQueues.values()) {
            if (overlaps(bus, bytes, cq[0])) {
                throw new AssertionError("a completion queue lies in freed memory");
            }
        }
    }

    private static boolean overlaps(long bus, long bytes, long address) {
        return address >= bus && address < bus + bytes;
    }

    /** Completes some commands. */
    void turn() {
        if (!enabled || fatal || gone || device == null || !device.isBusMaster()) {
            return;
        }
        for (int qid : List.copyOf(queues.keySet())) {
            for (int i = 0; i < COMMANDS_A_TURN; i++) {
                Queue q = queues.get(qid);
                if (q == null || q.head == q.tail || fatal || gone) {
                    break;
                }
                fetch(qid, q);
            }
        }
    }

    private void fetch(int qid, Queue q) {
        MemorySegment sqe = memory.at(q.sq + (long) q.head * Sqe.BYTES, Sqe.BYTES);
        q.head = (q.head + 1) % q.sqEntries;
        if (sqe == null) {
            fatal = true;
            return;
        }
        int cdw0 = sqe.get(INT, Sqe.CDW0);
        int opcode = cdw0 & 0xff;
        int cid = cdw0 >>> 16;
        long[] command = {cid, Sqe.prp1(sqe, 0), Sqe.prp2(sqe, 0)};
        int behaviour = (lies & COMPLETIONS_LIE) != 0 ? input.int8() : 0;
        if (qid == 0 && opcode == AdminOpcode.ASYNC_EVENT_REQUEST && behaviour < 200) {
            return;
        }
        q.unanswered.add(command);
        if (behaviour >= 252) {
            fatal = true;
            return;
        }
        if (behaviour >= 250) {
            gone = true;
            return;
        }
        if (behaviour >= 244) {
            return; // never completed; it may be executed at any time
        }
        boolean refused = behaviour >= 200 && behaviour < 212;
        int dw0 = refused ? 0 : qid == 0 ? admin(opcode, sqe) : 0;
        // never success: a driver couldn't detect that nothing was done
        int status = refused ? (input.int16() & 0x7fff) | 1 : 0;
        answer(qid, q, command, dw0, status, behaviour);
    }

    private void answer(int qid, Queue q, long[] command, int dw0, int status, int behaviour) {
        int cid = (int) command[0];
        int sqhd = q.head;
        int sqid = qid;
        int phase = q.phase;
        switch (behaviour) {
            case 212, 213, 214, 215 -> cid = input.int16();
            case 216, 217 -> sqid = input.int16();
            case 218, 219, 220, 221 -> sqhd = input.int16();
            case 222, 223 -> phase ^= 1;
            default -> {}
        }
        boolean really = cid == (int) command[0] && phase == q.phase;
        post(q, twistedDw0(dw0), sqhd, sqid, cid, status, phase);
        if (really) {
            q.unanswered.remove(command);
        }
        if (behaviour >= 224 && behaviour < 230) {
            post(q, dw0, sqhd, sqid, cid, status, q.phase);
        }
    }

    private int twistedDw0(int dw0) {
        return (lies & COMPLETIONS_LIE) != 0 ? twist(input, dw0) : dw0;
    }

    private void post(Queue q, int dw0, int sqhd, int sqid, int cid, int status, int phase) {
        MemorySegment cqe = memory.at(q.cq + (long) q.cqTail * Cqe.BYTES, Cqe.BYTES);
        if (cqe == null) {
            fatal = true;
            return;
        }
        Cqe.putDw01(cqe, 0, dw0, 0);
        Cqe.putDw23(cqe, 0, Cqe.dw23(sqhd, sqid, cid, status, phase));
        if (++q.cqTail == q.cqEntries) {
            q.cqTail = 0;
            q.phase ^= 1;
        }
    }

    private int admin(int opcode, MemorySegment sqe) {
        int cdw10 = sqe.get(INT, Sqe.CDW10);
        int id = cdw10 & 0xffff;
        int entries = (cdw10 >>> 16) + 1;
        long prp1 = Sqe.prp1(sqe, 0);
        switch (opcode) {
            case AdminOpcode.IDENTIFY -> identify(cdw10 & 0xff, sqe.get(INT, Sqe.NSID), prp1);
            case AdminOpcode.GET_LOG_PAGE -> data(prp1, sqe.get(INT, Sqe.CDW10) >>> 16, null);
            case AdminOpcode.CREATE_IO_CQ -> completionQueues.put(id, new long[] {prp1, entries});
            case AdminOpcode.CREATE_IO_SQ -> {
                long[] cq = completionQueues.get(sqe.get(INT, Sqe.CDW10 + 4) >>> 16);
                if (cq != null) {
                    queues.put(id, new Queue(prp1, entries, cq[0], (int) cq[1]));
                }
            }
            case AdminOpcode.DELETE_IO_SQ -> {
                if (id != 0) {
                    queues.remove(id);
                }
            }
            case AdminOpcode.DELETE_IO_CQ -> completionQueues.remove(id);
            case AdminOpcode.SET_FEATURES -> {
                return (cdw10 & 0xff) == Feature.NUMBER_OF_QUEUES ? 0x0007_0007 : 0;
            }
            default -> {}
        }
        return 0;
    }

    private void identify(int cns, int nsid, long prp1) {
        MemorySegment page = MemorySegment.ofArray(new byte[4096]);
        switch (cns) {
            case Cns.CONTROLLER -> {
                page.set(SHORT, 0, (short) 0x1b36);
                page.setString(4, "FUZZ");
                page.set(ValueLayout.JAVA_BYTE, 77, (byte) 5);
                page.set(ValueLayout.JAVA_BYTE, 258, (byte) 3);
                page.set(ValueLayout.JAVA_BYTE, 259, (byte) 3);
                page.set(ValueLayout.JAVA_BYTE, 512, (byte) 0x66);
                page.set(ValueLayout.JAVA_BYTE, 513, (byte) 0x44);
                page.set(INT, 516, 2);
                page.set(SHORT, 520, (short) 0x8d);
                page.set(ValueLayout.JAVA_BYTE, 525, (byte) 1);
            }
            case Cns.NAMESPACE -> {
                page.set(INT, 0, 4096);
                page.set(INT, 8, 4096);
                page.set(INT, 128, 9 << 16);
            }
            case Cns.ACTIVE_NAMESPACES -> {
                page.set(INT, 0, nsid < 1 ? 1 : nsid < 2 ? 2 : 0);
                page.set(INT, 4, nsid < 1 ? 2 : 0);
            }
            default -> {}
        }
        data(prp1, 1023, page);
    }

    /** Writes a page to a command's data address, with some bytes changed. */
    private void data(long address, int dwordsZ, @Nullable MemorySegment page) {
        long bytes = Math.min(4096, ((long) (dwordsZ & 0x3ff) + 1) * 4);
        MemorySegment target = memory.at(address, bytes);
        if (target == null) {
            return;
        }
        if (page != null) {
            MemorySegment.copy(page, 0, target, 0, bytes);
        }
        if ((lies & DATA_LIES) == 0) {
            return;
        }
        for (int patches = input.int8() & 15; patches > 0; patches--) {
            int at = input.int16() % (int) bytes;
            // most fields that matter are early in a page
            int place = input.flag() ? at : at & 0x21f;
            target.set(ValueLayout.JAVA_BYTE, place % bytes, (byte) input.int8());
        }
    }
}
