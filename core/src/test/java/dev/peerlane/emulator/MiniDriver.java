package dev.peerlane.emulator;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.NvmCommand;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The smallest possible driver of a controller: raw registers and hand-made entries, no checks. */
final class MiniDriver implements AutoCloseable {
    static final int PAGE = 4096;
    static final int ADMIN_ENTRIES = 32;
    static final long SECOND = 1_000_000_000L;

    final EmulatedFabric fabric;
    final PciDevice device;
    final Bar bar;
    final Queue admin;
    private final List<DmaBuffer> buffers = new ArrayList<>();

    /** One completion. */
    record Completion(int dw0, int sqhd, int sqid, int cid, int status) {
        int code() {
            return Status.code(status);
        }
    }

    /** A pair of queues in host memory, or wherever its addresses point. */
    final class Queue {
        final int qid;
        final int entries;
        final MemorySegment sq;
        final MemorySegment cq;
        final long sqBus;
        final long cqBus;
        int tail;
        int head;
        int phase = 1;
        int nextCid;

        Queue(int qid, int entries) {
            this.qid = qid;
            this.entries = entries;
            DmaBuffer s = allocate((long) entries * Sqe.BYTES);
            DmaBuffer c = allocate((long) entries * Cqe.BYTES);
            sq = s.segment();
            cq = c.segment();
            sqBus = s.busAddress();
            cqBus = c.busAddress();
        }

        /** Posts one entry without ringing the doorbell. */
        int post(int opcode, int nsid, long prp1, long prp2, int... cdw10) {
            int cid = nextCid++ & 0xffff;
            postRaw(Sqe.cdw0(opcode, cid), cid, nsid, prp1, prp2, cdw10);
            return cid;
        }

        void postRaw(int cdw0, int cid, int nsid, long prp1, long prp2, int... cdw10) {
            long at = (long) tail * Sqe.BYTES;
            sq.asSlice(at, Sqe.BYTES).fill((byte) 0);
            Sqe.putCdw0(sq, at, (cdw0 & 0xffff) | (cid << 16));
            Sqe.putNsid(sq, at, nsid);
            Sqe.putPrp1(sq, at, prp1);
            Sqe.putPrp2(sq, at, prp2);
            for (int i = 0; i < cdw10.length; i++) {
                sq.set(ValueLayout.JAVA_INT_UNALIGNED, at + Sqe.CDW10 + 4L * i, cdw10[i]);
            }
            tail = (tail + 1) % entries;
        }

        void ring() {
            bar.store32(Reg.sqTailDoorbell(qid, 0), tail);
        }

        /** Takes a completion, or returns null, without ringing the doorbell. */
        @Nullable Completion poll() {
            long at = (long) head * Cqe.BYTES;
            long dw23 = Cqe.dw23(cq, at);
            if (Cqe.phaseOf(dw23) != phase) {
                return null;
            }
            Completion completion =
                    new Completion(
                            Cqe.dw0(cq, at),
                            Cqe.sqhdOf(dw23),
                            Cqe.sqidOf(dw23),
                            Cqe.cidOf(dw23),
                            Cqe.statusOf(dw23));
            head = head + 1;
            if (head == entries) {
                head = 0;
                phase ^= 1;
            }
            return completion;
        }

        void ringHead() {
            bar.store32(Reg.cqHeadDoorbell(qid, 0), head);
        }

        /** Waits for the next completion and rings its doorbell. */
        Completion next() {
            @Nullable Completion[] found = new Completion[1];
            boolean arrived =
                    fabric.clock()
                            .await(
                                    () -> {
                                        found[0] = poll();
                                        return found[0] != null;
                                    },
                                    SECOND);
            Completion completion = found[0];
            if (!arrived || completion == null) {
                throw new AssertionError("no completion on queue " + qid + " in a second");
            }
            ringHead();
            return completion;
        }

        /** Runs one command from post to completion. */
        Completion run(int opcode, int nsid, long prp1, long prp2, int... cdw10) {
            post(opcode, nsid, prp1, prp2, cdw10);
            ring();
            return next();
        }

        Completion io(int opcode, long slba, int blocks, long prp1, long prp2) {
            return run(opcode, 1, prp1, prp2, lba(slba, blocks));
        }
    }

    MiniDriver(EmulatedFabric fabric, String name) {
        this.fabric = fabric;
        this.device = fabric.open("emu:" + name);
        this.bar = device.bar(0);
        device.busMaster(true);
        this.admin = new Queue(0, ADMIN_ENTRIES);
    }

    /** Returns a driver of an enabled controller. */
    static MiniDriver up(EmulatedFabric fabric, String name) {
        MiniDriver driver = new MiniDriver(fabric, name);
        driver.enable();
        return driver;
    }

    static int[] lba(long slba, int blocks) {
        return new int[] {NvmCommand.cdw10(slba), NvmCommand.cdw11(slba), NvmCommand.cdw12(blocks)};
    }

    static int cc() {
        return new Cc(0).withEn(true).withIosqes(Cc.IOSQES_NVM).withIocqes(Cc.IOCQES_NVM).raw();
    }

    void programAdmin() {
        bar.store32(Reg.AQA, Aqa.of(ADMIN_ENTRIES, ADMIN_ENTRIES).raw());
        bar.store64(Reg.ASQ, admin.sqBus);
        bar.store64(Reg.ACQ, admin.cqBus);
    }

    void enable() {
        programAdmin();
        bar.store32(Reg.CC, cc());
        if (!awaitCsts(1, 1)) {
            throw new AssertionError("CSTS is 0x%x".formatted(csts()));
        }
    }

    int csts() {
        return bar.load32(Reg.CSTS);
    }

    boolean awaitCsts(int mask, int value) {
        return fabric.clock().await(() -> (csts() & mask) == value, SECOND);
    }

    void turns(int count) {
        for (int i = 0; i < count; i++) {
            fabric.clock().turn();
        }
    }

    Cap cap() {
        return new Cap(bar.load64(Reg.CAP));
    }

    DmaBuffer allocate(long bytes) {
        DmaBuffer buffer = fabric.dma().allocate(bytes);
        buffers.add(buffer);
        return buffer;
    }

    Completion createCq(int qid, int entries, long prp1) {
        return admin.run(
                AdminOpcode.CREATE_IO_CQ,
                0,
                prp1,
                0,
                AdminCommand.createQueueCdw10(qid, entries),
                AdminCommand.createCqCdw11(true, false, 0));
    }

    Completion createSq(int qid, int entries, long prp1, int cqid) {
        return admin.run(
                AdminOpcode.CREATE_IO_SQ,
                0,
                prp1,
                0,
                AdminCommand.createQueueCdw10(qid, entries),
                AdminCommand.createSqCdw11(true, 0, cqid));
    }

    Queue ioQueue(int qid, int entries) {
        Queue queue = new Queue(qid, entries);
        Completion cq = createCq(qid, entries, queue.cqBus);
        Completion sq = createSq(qid, entries, queue.sqBus, qid);
        if (cq.code() != 0 || sq.code() != 0) {
            throw new AssertionError(
                    Status.describe(cq.status()) + "; " + Status.describe(sq.status()));
        }
        return queue;
    }

    Completion identify(int cns, int nsid, long prp1) {
        return admin.run(AdminOpcode.IDENTIFY, nsid, prp1, 0, AdminCommand.identifyCdw10(cns, 0));
    }

    Completion log(int lid, int nsid, DmaBuffer target, long bytes, long offset) {
        return admin.run(
                AdminOpcode.GET_LOG_PAGE,
                nsid,
                target.busAddress(),
                0,
                AdminCommand.getLogPageCdw10(lid, 0, false, bytes),
                AdminCommand.getLogPageCdw11(bytes, 0),
                AdminCommand.getLogPageCdw12(offset),
                AdminCommand.getLogPageCdw13(offset));
    }

    @Override
    public void close() {
        bar.store32(Reg.CC, 0);
        awaitCsts(1, 0);
        device.close();
        List.copyOf(buffers).forEach(DmaBuffer::close);
    }
}
