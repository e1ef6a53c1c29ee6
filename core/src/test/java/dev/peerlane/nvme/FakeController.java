package dev.peerlane.nvme;

import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.LbaFormat;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Cmbsz;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Csts;
import dev.peerlane.spec.wire.NamespaceDescriptors;
import dev.peerlane.spec.wire.NamespaceList;
import dev.peerlane.spec.wire.NvmCommand;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A controller that behaves as a test prescribes, in particular incorrectly. It is deliberately
 * small: commands succeed and are recorded, and the only data that moves is Identify pages, read
 * data (a pattern) and PRP lists.
 */
final class FakeController {
    static final int NO_ANSWER = -1;

    /** A command as it arrived. */
    record Arrived(
            int qid,
            int opcode,
            int nsid,
            int cid,
            long slba,
            int cdw10,
            int cdw11,
            int cdw12,
            long prp1,
            long prp2,
            List<Long> pages) {
        int blocks() {
            return NvmCommand.blocks(cdw12);
        }
    }

    /** A completion before it is written. A test may change it. */
    static final class Answer {
        int dw0;
        int sqhd;
        int sqid;
        int cid;
        int status;
        boolean wrongPhase;
        boolean twice;
    }

    private static final class Ring {
        long base;
        int entries;
        int head;
        int tail;
        int cqid;
        int phase = 1;
    }

    private final FakeMachine machine;
    private final Map<Integer, Ring> sqs = new TreeMap<>();
    private final Map<Integer, Ring> cqs = new TreeMap<>();

    /** An address in a command that has not been answered. */
    private record Named(int qid, long address) {}

    private final List<Named> unanswered = new ArrayList<>();

    private final MemorySegment bar2Memory = MemorySegment.ofArray(new byte[1 << 20]);

    // What the controller is.
    Cap cap = new Cap(0).withMqesZ(255).withTo(4).withCss(Cap.CSS_NVM).withCqr(true);
    Vs vs = Vs.of(1, 4, 0);
    long bar2Bytes;
    Cmbloc cmbloc = new Cmbloc(0).withBir(2);
    Cmbsz cmbsz = new Cmbsz(0);
    int grantedQueues = 8;
    int grantedCompletionQueues = 8;
    int[] nsids = {1};
    long blocks = 1000;
    LbaFormat format = LbaFormat.of(0, 9, 0);
    Consumer<MemorySegment> onIdentifyController = p -> {};
    Consumer<MemorySegment> onIdentifyNamespace = p -> {};
    Consumer<MemorySegment> onSmart = p -> {};
    int csi = CommandSet.NVM;
    int crto;

    // How the controller misbehaves.
    int readyAfterSteps = 2;
    boolean neverReady;
    boolean neverUnready;
    boolean fatalOnEnable;
    boolean refusesCba;
    boolean neverShutDown;
    boolean wipesAreLost;
    int goneAtAccess = -1;
    int fatalAtAccess = -1;
    int failAdminAt = -1;
    int ignoreAdminAt = -1;
    java.util.function.ToIntFunction<Arrived> statusOf = c -> Status.SUCCESS;
    Consumer<Answer> onAnswer = a -> {};
    boolean sleeps;

    // What the controller has seen.
    final List<Arrived> arrived = new ArrayList<>();
    int accesses;
    int loads;
    boolean gone;

    /** Whether CMBSZ and CMBLOC read 0 until CSTS.RDY is set. */
    boolean cmbShownWhenReady;

    /** Whether disabling the controller clears CMBMSC. */
    boolean disablingClearsCmbmsc;

    int doorbells;
    private int adminSeen;
    private boolean misbehaved;

    private int cc;
    int csts;
    private int aqa;
    private long asq;
    private long acq;
    private long cmbmsc;
    private long cmbWindow = -1;
    private int toReady = -1;
    private int toUnready = -1;
    private int toShut = -1;

    FakeController(FakeMachine machine) {
        this.machine = machine;
    }

    /** Returns whether a scripted fault has occurred. */
    boolean misbehaved() {
        return misbehaved;
    }

    void misbehave() {
        misbehaved = true;
    }

    MemorySegment bar2() {
        return bar2Memory.asSlice(0, bar2Bytes);
    }

    long cmbWindow() {
        return cmbWindow;
    }

    /** Leaves a CMB window enabled, as an earlier owner might. */
    void leftOver(long address) {
        cmbmsc = address | 3;
        cmbWindow = address;
    }

    void enabledByFormerOwner() {
        cc = 1;
        csts = 1;
    }

    boolean isEnabled() {
        return (csts & 1) != 0;
    }

    void functionReset() {
        neverUnready = false;
        cc = 0;
        csts = 0;
        cmbmsc = 0;
        cmbWindow = -1;
        sqs.clear();
        cqs.clear();
        unanswered.clear();
    }

    /**
     * Called when the driver frees host memory. Checks that the controller can no longer access any
     * of it.
     */
    void freed(long address, long bytes) {
        if (gone || !machine.device.isBusMaster() || (csts & 1) == 0) {
            return;
        }
        for (Map<Integer, Ring> rings : List.of(sqs, cqs)) {
            rings.forEach((qid, ring) -> {
                if (ring.base >= address && ring.base < address + bytes) {
                    machine.violations.add("memory of live queue " + qid + " freed");
                }
            });
        }
        for (Named named : unanswered) {
            if (named.address >= address && named.address < address + bytes) {
                machine.violations.add(
                        "memory of an unanswered command of queue " + named.qid + " freed");
            }
        }
    }

    int load(int offset) {
        loads++;
        touch();
        if (gone) {
            return -1;
        }
        boolean shown = !cap.cmbs() || (cmbmsc & 1) != 0;
        shown &= !cmbShownWhenReady || isEnabled();
        return switch (offset) {
            case Reg.CAP -> (int) cap.raw();
            case Reg.CAP + 4 -> (int) (cap.raw() >>> 32);
            case Reg.VS -> vs.raw();
            case Reg.CC -> cc;
            case Reg.CSTS -> csts;
            case Reg.AQA -> aqa;
            case Reg.ASQ -> (int) asq;
            case Reg.ASQ + 4 -> (int) (asq >>> 32);
            case Reg.ACQ -> (int) acq;
            case Reg.ACQ + 4 -> (int) (acq >>> 32);
            case Reg.CMBLOC -> shown ? cmbloc.raw() : 0;
            case Reg.CMBSZ -> shown ? cmbsz.raw() : 0;
            case Reg.CMBMSC -> cap.cmbs() ? (int) cmbmsc : 0;
            case Reg.CMBMSC + 4 -> cap.cmbs() ? (int) (cmbmsc >>> 32) : 0;
            case Reg.CRTO -> crto;
            case Reg.CMBSTS -> refusesCba && (cmbmsc & 2) != 0 ? 1 : 0;
            default -> 0;
        };
    }

    /**
     * Counts an access to the registers, and raises the scripted error: what a SIGBUS in a mapping
     * becomes.
     */
    @Nullable Supplier<? extends Throwable> unreachable;

    private void touch() {
        if (unreachable != null) {
            Throwable thrown = unreachable.get();
            if (thrown instanceof InternalError e) {
                throw e;
            }
            throw (RuntimeException) thrown;
        }
        accesses++;
        if (accesses == goneAtAccess) {
            gone = true;
            misbehaved = true;
        }
        if (accesses == fatalAtAccess) {
            csts |= 2;
            sleeps = true;
            misbehaved = true;
        }
    }

    void store(int offset, int value) {
        touch();
        if (gone) {
            return;
        }
        if (offset >= Reg.DOORBELLS) {
            doorbell((offset - Reg.DOORBELLS) / cap.doorbellStrideBytes(), value);
            return;
        }
        switch (offset) {
            case Reg.CC -> control(value);
            case Reg.AQA -> aqa = value;
            case Reg.ASQ -> asq = low(asq, value);
            case Reg.ASQ + 4 -> asq = high(asq, value);
            case Reg.ACQ -> acq = low(acq, value);
            case Reg.ACQ + 4 -> acq = high(acq, value);
            case Reg.CMBMSC -> {
                cmbmsc = low(cmbmsc, value);
                boolean live = (value & 2) != 0;
                if (live != (cmbWindow >= 0)) {
                    machine.log.add(live ? "cmse on" : "cmse off");
                }
                cmbWindow = live ? new Cmbmsc(cmbmsc).baseAddress() : -1;
            }
            case Reg.CMBMSC + 4 -> {
                if ((cmbmsc & 2) != 0 && high(cmbmsc, value) != cmbmsc) {
                    machine.violations.add("a live CMB window was moved by its high half");
                }
                cmbmsc = high(cmbmsc, value);
            }
            default -> machine.violations.add("store to %xh".formatted(offset));
        }
    }

    private static long low(long old, int value) {
        return (old & 0xffff_ffff_0000_0000L) | Integer.toUnsignedLong(value);
    }

    private static long high(long old, int value) {
        return (old & 0xffff_ffffL) | ((long) value << 32);
    }

    private void control(int value) {
        Cc before = new Cc(cc);
        Cc now = new Cc(value);
        cc = value;
        if (now.en() && !before.en()) {
            if ((csts & 1) != 0) {
                machine.violations.add("enabled while ready");
            }
            toReady = readyAfterSteps;
            if (fatalOnEnable) {
                csts |= 2;
            }
        } else if (!now.en() && before.en()) {
            toReady = -1;
            toUnready = readyAfterSteps;
        }
        if (now.shn() != 0 && before.shn() == 0) {
            csts = new Csts(csts).withShst(Csts.SHST_OCCURRING).raw();
            toShut = 2;
            machine.log.add("shutdown");
        }
    }

    private void doorbell(int index, int value) {
        doorbells++;
        int qid = index / 2;
        Ring ring = (index % 2 == 0 ? sqs : cqs).get(qid);
        if (ring == null || value < 0 || value >= ring.entries) {
            machine.violations.add("doorbell %d = %d".formatted(index, value));
        } else if (index % 2 == 0) {
            ring.tail = value;
        }
    }

    void step() {
        if (gone) {
            return;
        }
        if (toReady >= 0 && toReady-- == 0 && !neverReady && (csts & 2) == 0) {
            becomeReady();
        }
        if (toUnready >= 0 && toUnready-- == 0 && !neverUnready) {
            csts = 0;
            if (disablingClearsCmbmsc) {
                cmbmsc = 0;
                cmbWindow = -1;
            }
            sleeps = false;
            sqs.clear();
            cqs.clear();
            unanswered.clear();
            machine.log.add("disabled");
        }
        if (toShut >= 0 && toShut-- == 0 && !neverShutDown) {
            csts = new Csts(csts).withShst(Csts.SHST_COMPLETE).raw();
        }
        if (!sleeps && (csts & 1) != 0) {
            for (int qid : List.copyOf(sqs.keySet())) {
                Ring sq = sqs.get(qid);
                while (sq != null && sq.head != sq.tail && sqs.containsKey(qid) && !sleeps) {
                    fetch(qid, sq);
                }
            }
        }
    }

    private void becomeReady() {
        Ring sq = new Ring();
        sq.base = asq;
        sq.entries = new Aqa(aqa).submissionEntries();
        Ring cq = new Ring();
        cq.base = acq;
        cq.entries = new Aqa(aqa).completionEntries();
        sqs.put(0, sq);
        cqs.put(0, cq);
        csts = 1;
    }

    private MemorySegment memory(long address, long bytes, String what) {
        MemorySegment m = machine.hostBytes(address, bytes);
        if (m == null) {
            machine.violations.add("DMA to unknown memory: " + what);
            return MemorySegment.ofArray(new byte[(int) bytes]);
        }
        return m;
    }

    private void fetch(int qid, Ring sq) {
        MemorySegment e = memory(sq.base + 64L * sq.head, 64, "SQE of queue " + qid);
        sq.head = (sq.head + 1) % sq.entries;
        int cdw12 = Sqe.cdw12(e, 0);
        Arrived c =
                new Arrived(
                        qid,
                        Sqe.opcode(e, 0),
                        Sqe.nsid(e, 0),
                        Sqe.cid(e, 0),
                        NvmCommand.slba(Sqe.cdw10(e, 0), Sqe.cdw11(e, 0)),
                        Sqe.cdw10(e, 0),
                        Sqe.cdw11(e, 0),
                        cdw12,
                        Sqe.prp1(e, 0),
                        Sqe.prp2(e, 0),
                        qid == 0 ? List.of() : pages(Sqe.prp1(e, 0), Sqe.prp2(e, 0), cdw12));
        arrived.add(c);
        Answer a = new Answer();
        a.sqhd = sq.head;
        a.sqid = qid;
        a.cid = c.cid;
        a.status = statusOf.applyAsInt(c);
        if (qid == 0 && ++adminSeen == failAdminAt) {
            a.status = Status.INTERNAL_ERROR;
            misbehaved = true;
        }
        if (qid == 0 && adminSeen == ignoreAdminAt) {
            misbehaved = true;
            a.status = NO_ANSWER;
        }
        if (a.status == NO_ANSWER) {
            unanswered.add(new Named(qid, c.prp1));
            unanswered.add(new Named(qid, c.prp2));
            return;
        }
        if (a.status == 0 && qid == 0 && !admin(c, a)) {
            return;
        }
        onAnswer.accept(a);
        complete(sq.cqid, a);
        if (a.twice) {
            complete(sq.cqid, a);
        }
    }

    private List<Long> pages(long prp1, long prp2, int cdw12) {
        List<Long> pages = new ArrayList<>();
        if (prp1 == 0) {
            return pages;
        }
        int bytes = NvmCommand.blocks(cdw12) << format.lbads();
        pages.add(prp1);
        int left = bytes - (4096 - (int) (prp1 & 4095));
        if (left > 4096) {
            int entries = (left + 4095) / 4096;
            if ((prp2 & 4095) + entries * 8L > 4096) {
                machine.violations.add("PRP list crosses a page");
            }
            MemorySegment list = memory(prp2, entries * 8L, "PRP list");
            for (int i = 0; i < entries; i++) {
                pages.add(Sqe.prp1(list, i * 8L - Sqe.PRP1));
            }
        } else if (left > 0) {
            pages.add(prp2);
        } else if (prp2 != 0) {
            machine.violations.add("PRP2 without need");
        }
        return pages;
    }

    /** Executes an admin command. Returns whether it is answered at once. */
    private boolean admin(Arrived c, Answer a) {
        switch (c.opcode) {
            case AdminOpcode.IDENTIFY -> identify(c, a);
            case AdminOpcode.SET_FEATURES ->
                    a.dw0 = Feature.numberOfQueues(grantedQueues, grantedCompletionQueues);
            case AdminOpcode.GET_LOG_PAGE -> onSmart.accept(memory(c.prp1, 512, "log page"));
            case AdminOpcode.CREATE_IO_CQ -> cqs.put(AdminCommand.qid(c.cdw10), ring(c, 0));
            case AdminOpcode.CREATE_IO_SQ ->
                    sqs.put(AdminCommand.qid(c.cdw10), ring(c, AdminCommand.cqid(c.cdw11)));
            case AdminOpcode.DELETE_IO_SQ -> {
                int qid = AdminCommand.qid(c.cdw10);
                sqs.remove(qid);
                unanswered.removeIf(named -> named.qid == qid);
                machine.log.add("delete sq");
            }
            case AdminOpcode.DELETE_IO_CQ -> cqs.remove(AdminCommand.qid(c.cdw10));
            case AdminOpcode.ASYNC_EVENT_REQUEST -> {
                return false;
            }
            default -> {}
        }
        return true;
    }

    private static Ring ring(Arrived c, int cqid) {
        Ring ring = new Ring();
        ring.base = c.prp1;
        ring.entries = AdminCommand.qsizeZ(c.cdw10) + 1;
        ring.cqid = cqid;
        return ring;
    }

    private void identify(Arrived c, Answer a) {
        MemorySegment page = memory(c.prp1, 4096, "identify page").fill((byte) 0);
        switch (AdminCommand.cns(c.cdw10)) {
            case Cns.CONTROLLER -> {
                IdentifyController.VID.write(page, 0x1234);
                IdentifyController.SN.writeText(page, "FAKE1");
                IdentifyController.MN.writeText(page, "Fake");
                IdentifyController.SQES.write(page, 0x66);
                IdentifyController.CQES.write(page, 0x44);
                IdentifyController.NN.write(page, 4);
                IdentifyController.ONCS.write(page, 0x8d);
                IdentifyController.AERL.write(page, 3);
                IdentifyController.VWC.write(page, 1);
                onIdentifyController.accept(page);
            }
            case Cns.ACTIVE_NAMESPACES ->
                    NamespaceList.write(
                            page,
                            java.util.Arrays.stream(nsids)
                                    .filter(n -> Integer.compareUnsigned(n, c.nsid) > 0)
                                    .limit(NamespaceList.MAX_NSIDS)
                                    .toArray());
            case Cns.NAMESPACE -> {
                boolean known = java.util.Arrays.stream(nsids).anyMatch(n -> n == c.nsid);
                if (known) {
                    IdentifyNamespace.NSZE.write(page, blocks);
                    IdentifyNamespace.NCAP.write(page, blocks);
                    IdentifyNamespace.lbafField(0).write(page, format.raw());
                    onIdentifyNamespace.accept(page);
                }
            }
            case Cns.NAMESPACE_DESCRIPTORS ->
                    NamespaceDescriptors.put(page, 0, NamespaceDescriptors.CSI, (byte) csi);
            default -> a.status = Status.INVALID_FIELD;
        }
    }

    /** Completes a command that was left unanswered. */
    void answerLate(Arrived c, int status, int dw0) {
        Answer a = new Answer();
        a.sqhd = sqs.get(c.qid).head;
        a.sqid = c.qid;
        a.cid = c.cid;
        a.status = status;
        a.dw0 = dw0;
        complete(sqs.get(c.qid).cqid, a);
    }

    private void complete(int cqid, Answer a) {
        Ring cq = cqs.get(cqid);
        if (cq == null) {
            return;
        }
        MemorySegment e = memory(cq.base + 16L * cq.tail, 16, "CQE of queue " + cqid);
        int phase = a.wrongPhase ? cq.phase ^ 1 : cq.phase;
        Cqe.putDw01(e, 0, a.dw0, 0);
        Cqe.putDw23(e, 0, Cqe.dw23(a.sqhd, a.sqid, a.cid, a.status, phase));
        cq.tail = (cq.tail + 1) % cq.entries;
        if (cq.tail == 0) {
            cq.phase ^= 1;
        }
    }

    /** Returns the commands with an opcode that arrived at I/O queues. */
    List<Arrived> io(int opcode) {
        return arrived.stream().filter(c -> c.qid != 0 && c.opcode == opcode).toList();
    }

    List<Arrived> adminCommands(int opcode) {
        return arrived.stream().filter(c -> c.qid == 0 && c.opcode == opcode).toList();
    }
}
