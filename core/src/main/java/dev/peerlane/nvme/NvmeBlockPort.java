package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PortLimits;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Sqe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A port over one namespace with an I/O queue pair of its own, for the copy engine.
 *
 * <p>Slots are contiguous. A transfer of more than two pages is described by an SGL data block
 * (NVMe Base 2.0, 4.1.2) if the controller supports SGLs. Otherwise it is described by a PRP list
 * in host memory, which is written when slots are attached.
 *
 * <p>Every command is checked against the slot and the namespace. An invalid call, or a call by a
 * thread other than the controller's owner, throws {@link IllegalArgumentException} or {@link
 * IllegalStateException} before anything is posted.
 */
public final class NvmeBlockPort extends BlockPort {
    private static final int PAGE = PrpList.PAGE;

    /** What a port uses of its controller. */
    interface Host {
        PciDevice device();

        DmaDomain dma();

        /** Returns whether data of more than two pages is described by an SGL. */
        boolean usesSgls();

        /** Checks that the calling thread is the owner. */
        void checkOwner();

        /** Asks the controller to abort a command and returns the outcome as text. */
        String abort(int sqid, int cid);

        /** Ensures that no command of a pair is in flight, now or later. */
        void retire(QueuePair q);

        /** Returns the condition of the controller, as text for a person. */
        String condition();

        /** Called when a port was closed. */
        void forget(NvmeBlockPort port);
    }

    /**
     * Data pointer flag: an SGL descriptor. A data block's type and subtype are 0, so address and
     * length suffice.
     */
    private static final int SGL = Sqe.cdw0(0, Sqe.FUSE_NONE, Sqe.PSDT_SGL, 0);

    /**
     * The resolved addresses of a slot. One object instead of four arrays saves three bounds
     * checks.
     */
    private static final class Slot {
        private final int blocks;
        private final long prp1; // or the address of an SGL data block
        private final long prp2; // or an SGL length; for the whole slot
        private final long cdw0to1; // without opcode and identifier
        private int tag;

        Slot(int blocks, long prp1, long prp2, long cdw0to1) {
            this.blocks = blocks;
            this.prp1 = prp1;
            this.prp2 = prp2;
            this.cdw0to1 = cdw0to1;
        }
    }

    private final Host host;
    private final String name;
    private final QueuePair queue;
    private final PortLimits limits;
    private final DmaDomain dma;
    private final long withPrps; // command dwords 0 and 1, without opcode and identifier
    private final long withSgl;
    private final int blockShift;
    private final long blockCount;
    private final boolean writable;
    private final boolean sgls;
    private final List<DmaBuffer> lists = new ArrayList<>();

    private Slot[] slots = new Slot[0];
    private boolean quiesced;
    private boolean closed;
    private String lastCondition = READY;

    NvmeBlockPort(Host host, String name, int nsid, QueuePair queue, PortLimits limits) {
        this.host = host;
        this.name = name;
        this.queue = queue;
        this.limits = limits;
        this.dma = host.dma();
        this.withPrps = Sqe.cdw0to1(0, nsid);
        this.withSgl = Sqe.cdw0to1(SGL, nsid);
        this.blockShift = Integer.numberOfTrailingZeros(limits.blockBytes());
        this.blockCount = limits.blockCount();
        this.writable = limits.readOnly() == null;
        this.sgls = host.usesSgls();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public PortLimits limits() {
        return limits;
    }

    @Override
    public int attach(PeerBuffer buffer, long offset, int slotBytes, int strideBytes, int count) {
        checkAttach(buffer, offset, slotBytes, strideBytes, count);
        buffer.admit(host.device().bdf());
        long bus = buffer.busAddress() + offset;
        int most = 0;
        for (int i = 0; i < count; i++) {
            long address = bus + (long) i * strideBytes;
            most = Math.max(most, PrpList.pagesAfterFirst(address, slotBytes));
        }
        int listBytes = sgls ? 0 : PrpList.listBytes(most);
        @Nullable DmaBuffer memory = null;
        if (listBytes > 0 && count > 0) {
            memory = dma.allocate((long) listBytes * count);
            lists.add(memory);
        }
        int first = slots.length;
        Slot[] more = Arrays.copyOf(slots, first + count);
        for (int i = 0; i < count; i++) {
            long address = bus + (long) i * strideBytes;
            int pages = PrpList.pagesAfterFirst(address, slotBytes);
            int bytes = slotBytes >> blockShift << blockShift;
            if (sgls && pages > 1) {
                more[first + i] = new Slot(bytes >> blockShift, address, bytes, withSgl);
                continue;
            }
            long list = 0;
            if (memory != null) {
                long at = (long) i * listBytes;
                list = memory.busAddress() + at;
                PrpList.write(memory.address() + at, address, pages);
            }
            more[first + i] =
                    new Slot(bytes >> blockShift, address, prp2(address, bytes, list), withPrps);
        }
        slots = more;
        return first;
    }

    private void checkAttach(PeerBuffer buffer, long offset, int bytes, int stride, int count) {
        checkOpen();
        if (count < 0 || bytes <= 0 || bytes > limits.maxTransferBytes() || offset < 0) {
            throw new IllegalArgumentException(
                    "%s: %d slots of %d bytes at 0x%x; a slot has at most %d bytes"
                            .formatted(name(), count, bytes, offset, limits.maxTransferBytes()));
        }
        if (((offset | bytes | stride) & 3) != 0 || stride < 0) {
            throw new IllegalArgumentException(
                    "%s: offset 0x%x, length 0x%x and stride 0x%x must be multiples of 4"
                            .formatted(name(), offset, bytes, stride));
        }
        if (count > 0 && offset + (long) (count - 1) * stride > buffer.sizeBytes() - bytes) {
            throw new IllegalArgumentException(
                    "%s: %d slots of %d bytes, %d apart, end after the buffer of %d bytes"
                            .formatted(name(), count, bytes, stride, buffer.sizeBytes()));
        }
    }

    @Override
    public boolean submitRead(int slot, long lba, int blocks) {
        return submit(NvmOpcode.READ, slot, lba, blocks);
    }

    @Override
    public boolean submitWrite(int slot, long lba, int blocks) {
        if (!writable) {
            throw readOnly();
        }
        return submit(NvmOpcode.WRITE, slot, lba, blocks);
    }

    @Override
    public boolean submitCompare(int slot, long lba, int blocks) {
        return submit(NvmOpcode.COMPARE, slot, lba, blocks);
    }

    /** Returns the second half of the data pointer for a transfer that is shorter than the slot. */
    private long pointer2(Slot slot, int bytes) {
        return slot.cdw0to1 == withPrps ? prp2(slot.prp1, bytes, slot.prp2) : bytes;
    }

    /** Returns PRP entry 2: 0, the second page, or the list if there are more pages. */
    private static long prp2(long prp1, int bytes, long list) {
        long second = (prp1 & -PAGE) + PAGE;
        long end = prp1 + bytes;
        return end <= second ? 0 : end <= second + PAGE ? second : list;
    }

    private boolean submit(int opcode, int slot, long lba, int blocks) {
        Slot[] all = slots;
        if (slot < 0 || slot >= all.length) {
            throw noSlot(slot);
        }
        Slot known = all[slot];
        // 0-based; blocks < 1 becomes larger than any limit as an unsigned number
        int nlb = blocks - 1;
        if (Integer.compareUnsigned(nlb, known.blocks) >= 0
                || lba < 0
                || lba > blockCount - blocks) {
            throw outside(slot, lba, blocks);
        }
        if (queue.holds(known.tag, slot)) {
            throw busy(slot);
        }
        long prp1 = known.prp1;
        long prp2 = blocks == known.blocks ? known.prp2 : pointer2(known, blocks << blockShift);
        int tag = queue.post(opcode | known.cdw0to1, prp1, prp2, lba, nlb, slot);
        if (tag < 0) {
            return false;
        }
        known.tag = tag;
        return true;
    }

    @Override
    public boolean submitFlush() {
        return queue.post(NvmOpcode.FLUSH | withPrps, 0, 0, 0, 0, NO_SLOT) >= 0;
    }

    @Override
    public void ring() {
        queue.ring();
    }

    @Override
    public int poll(int max, Completions completions) {
        return queue.poll(max, completions);
    }

    @Override
    public int inFlight() {
        return quiesced ? 0 : queue.unanswered();
    }

    @Override
    public String abort(int slot) {
        host.checkOwner();
        checkSlot(slot);
        int tag = slots[slot].tag;
        if (!queue.holds(tag, slot)) {
            return "no command of slot %d is in flight".formatted(slot);
        }
        try {
            return host.abort(queue.qid(), queue.cid(tag));
        } catch (ControllerFault e) {
            return "no Abort sent: " + e.getMessage();
        }
    }

    private void checkSlot(int slot) {
        if (slot < 0 || slot >= slots.length) {
            throw noSlot(slot);
        }
    }

    @Override
    public void quiesce() {
        host.checkOwner();
        if (!quiesced) {
            lastCondition = look(); // now, because retiring may reset the controller
            host.retire(queue);
            queue.retire();
            quiesced = true;
        }
    }

    @Override
    public boolean mayRetry(int status) {
        return !Status.isSuccess(status)
                && !Status.doNotRetry(status)
                && Status.code(status) != Status.COMPARE_FAILURE;
    }

    @Override
    public boolean isMiscompare(int status) {
        return Status.code(status) == Status.COMPARE_FAILURE;
    }

    @Override
    public String condition() {
        host.checkOwner();
        return quiesced ? lastCondition : look();
    }

    @Override
    public void checkHealth() {
        host.checkOwner();
        if (!quiesced) {
            queue.checkHealth();
        }
    }

    private String look() {
        try {
            return host.device().config().isGone()
                    ? "is gone: its configuration space reads as all ones"
                    : host.condition();
        } catch (PeerlaneException e) {
            return "can't be reached: " + e.getMessage();
        }
    }

    @Override
    public String describe(int status) {
        return Status.isSuccess(status)
                ? Status.describe(status)
                : Status.describe(status) + ": " + Status.hint(status);
    }

    @Override
    public void close() {
        host.checkOwner();
        if (!closed) {
            quiesce();
            closed = true;
            host.forget(this);
            lists.forEach(DmaBuffer::close);
            lists.clear();
        }
    }

    private void checkOpen() {
        host.checkOwner();
        if (closed || quiesced) {
            throw new IllegalStateException(name() + ": the port is closed");
        }
    }

    private RuntimeException readOnly() {
        host.checkOwner();
        return PeerlaneException.machine(
                "namespace-read-only",
                "%s can't be written: %s".formatted(name(), limits.readOnly()),
                "lift the write protection, or use another namespace");
    }

    private RuntimeException noSlot(int slot) {
        host.checkOwner();
        return new IllegalArgumentException(
                "%s: slot %d of %d attached ones".formatted(name(), slot, slots.length));
    }

    private RuntimeException busy(int slot) {
        host.checkOwner();
        return new IllegalStateException(
                "%s: slot %d has a command in flight".formatted(name(), slot));
    }

    private RuntimeException outside(int slot, long lba, int blocks) {
        host.checkOwner();
        return new IllegalArgumentException(
                "%s: %d blocks at %d: the slot has room for %d, the namespace has %d"
                        .formatted(name(), blocks, lba, slots[slot].blocks, blockCount));
    }
}
